import type { OnnxFile } from '../backbones/onnx-file.ts';
import { readBy } from './wire/topology.ts';

/** Operators that read a tensor's shape and none of its values. */
const OF_SHAPES = new Set(['Shape', 'Size']);

/**
 * The tensors that are computed of the values of these inputs, the inputs included. With `shapes` also those that only
 * depend on their shapes.
 */
export function reachedFrom(
  { nodes }: OnnxFile,
  inputs: Iterable<string>,
  { shapes }: { readonly shapes: boolean },
): ReadonlySet<string> {
  const reached = new Set(inputs);
  for (const node of nodes) {
    if (!shapes && OF_SHAPES.has(node.op)) continue;
    if (readBy(node).some((name) => reached.has(name))) for (const name of node.outputs) reached.add(name);
  }
  reached.delete('');
  return reached;
}

/** The tensors that can be computed from one input and constants alone, and are computed of its values. */
export function computedFrom(file: OnnxFile, input: string): ReadonlySet<string> {
  const others = file.inputs.map(({ name }) => name).filter((name) => name !== input);
  const needOthers = reachedFrom(file, others, { shapes: true });
  return new Set([...reachedFrom(file, [input], { shapes: false })].filter((name) => !needOthers.has(name)));
}
