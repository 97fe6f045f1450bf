import { PermafrostError } from '../../core/errors.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import { featureWidth, graphCut } from '../backbones/cut-layers.ts';
import type { OnnxFile } from '../backbones/onnx-file.ts';
import { outputNames, PIXELS, type GraphProgram } from '../program.ts';
import { assemble, graphFields } from './assemble.ts';
import { cutGraph, type CutGraph } from './cut-graph.ts';
import { quantizedFile } from './int8/quantized-file.ts';
import { pixelFront, type AddedPart } from './pixel-front.ts';
import { poolingBehind } from './pooling-behind.ts';

export interface GraphModelOptions {
  /** Images that a run may have. Default: `any`, but 1 where the graph computes one at a time. */
  readonly batch?: 'any' | 1;
}

/** A beginning of names that no tensor and no node of the file has. */
export function freePrefix(cut: CutGraph): string {
  const taken = [
    ...cut.nodes.map(({ name }) => name),
    ...cut.nodes.flatMap(({ outputs }) => outputs),
    ...cut.initializers.map(({ name }) => name),
    ...cut.inputs,
  ];
  let prefix = 'permafrost/';
  while (taken.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  return prefix;
}

/** New names for the tensors that are called as something else must be called. Throws BACKBONE_INVALID. */
export function clearedNames(
  file: OnnxFile,
  cut: CutGraph,
  needed: readonly string[],
  prefix: string,
): ReadonlyMap<string, string> {
  const tensors = new Set([
    ...cut.inputs,
    ...cut.initializers.map(({ name }) => name),
    ...cut.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const taken = needed.filter((name) => tensors.has(name));
  const fixed = taken.find((name) => file.sparse.has(name) || cut.nodes.some(({ outer }) => outer.includes(name)));
  if (fixed !== undefined) {
    throw new PermafrostError(
      'BACKBONE_INVALID',
      `${file.path} has a tensor "${fixed}", a name that permafrost needs itself, and a subgraph reads it. Rename the tensor and save the file again.`,
    );
  }
  return new Map(taken.map((name) => [name, `${prefix}of the file/${name}`]));
}

const joinedParts = (parts: readonly AddedPart[]): AddedPart => ({
  nodes: parts.flatMap(({ nodes }) => nodes),
  initializers: parts.flatMap(({ initializers }) => initializers),
});

/** The graph's inputs: pixels as every program takes them. */
export const pixelsInput = (size: number, batch: number | string): OnnxGraph['inputs'] => [
  { name: PIXELS, type: 'uint8', shape: [batch, size, size, 3] },
];

/**
 * A program of a graph as the bytes of an ONNX model: pixels (uint8 RGB, NHWC) to the input by the contract, the part
 * of the file that the cuts need, as it lies there, and an output a pooling. Throws OPTION_INVALID for cuts that were
 * not measured, poolings that they have not, no outputs or one twice, and as quantizedFile; CONTRACT_INVALID;
 * BACKBONE_INVALID.
 */
export function graphModel(program: GraphProgram, options: GraphModelOptions = {}): Uint8Array {
  const { backbone, contract, outputs, quantization } = program;
  const { input } = backbone;
  const names = outputNames(outputs);
  const cuts = outputs.map(({ cut }) => graphCut(backbone, cut));
  const wanted = outputs.map(({ cut }) => cut);
  const file = quantization === undefined ? backbone.file : quantizedFile(backbone.file, quantization, wanted);
  const part = cutGraph(file, wanted);
  const prefix = freePrefix(part);
  const renamed = clearedNames(file, part, [PIXELS, ...names], prefix);
  const nameOf = (name: string): string => renamed.get(name) ?? name;
  const batch = (options.batch ?? (input.batch === undefined ? 'any' : input.batch)) === 'any' ? 'batch' : 1;
  const front = pixelFront(PIXELS, { ...input, name: nameOf(input.name) }, contract, `${prefix}pixels/`);
  const opset = file.opsets.get('') ?? 0;
  const behind = joinedParts(
    outputs.map((output, i) => {
      const from = { ...output, cut: nameOf(output.cut) };
      return poolingBehind(from, cuts[i]!, names[i]!, `${prefix}output${i}/`, { opset, repeats: input.repeats });
    }),
  );
  return assemble(file, part, {
    front: graphFields(
      { name: backbone.name, ...front, inputs: pixelsInput(contract.size, batch), outputs: [] },
      prefix,
    ),
    behind: graphFields(
      {
        name: backbone.name,
        ...behind,
        inputs: [],
        outputs: outputs.map(({ pooling }, i) => ({
          name: names[i]!,
          type: 'float32',
          shape: [batch, featureWidth(cuts[i]!.shape, pooling)],
        })),
      },
      prefix,
    ),
    names: renamed,
  });
}
