import { encodeOnnx, type OnnxGraph } from '../../core/onnx-model.ts';
import type { OnnxFile, WireNode, WireTensor } from '../backbones/onnx-file.ts';
import type { CutGraph } from './cut-graph.ts';
import { parseNode } from './wire/parse-node.ts';
import { parseTensor } from './wire/parse-tensor.ts';
import { bytesField, fieldsOf, joined, numberField, textField, wireSource, type WireSource } from './wire/wire.ts';

/** Before it, all constants had to be inputs, which callers may replace: nothing could be computed ahead. */
const LEAST_IR = 4;

const source = (): WireSource =>
  wireSource((found) => {
    throw new Error(`what was read before is damaged: ${found}`);
  });

/** The fields of the GraphProto that our encoder writes for these parts, whose nodes get names that begin so. */
export function graphFields(graph: OnnxGraph, prefix: string): Uint8Array {
  const nodes = graph.nodes.map((node) => ({ ...node, name: `${prefix}${node.outputs[0]}` }));
  for (const { id, bytes } of fieldsOf(encodeOnnx({ ...graph, nodes }), source())) if (id === 7) return bytes;
  throw new Error('the encoder wrote no graph');
}

/** A node, with other names for some tensors; `called`: what it is called itself, by its own name. */
export function nodeBytes(
  { bytes, name, inputs, outputs }: WireNode,
  names: ReadonlyMap<string, string>,
  called?: (name: string) => string,
): readonly Uint8Array[] {
  if (called === undefined && ![...inputs, ...outputs].some((tensor) => names.has(tensor))) return [bytes];
  const renamed = (id: number, all: readonly string[]): Uint8Array[] =>
    all.flatMap((tensor) => textField(id, names.get(tensor) ?? tensor));
  const others: Uint8Array[] = [];
  for (const { id, at, end } of fieldsOf(bytes, source())) {
    if (id > 3 || (id === 3 && called === undefined)) others.push(bytes.subarray(at, end));
  }
  const own = called === undefined ? [] : textField(3, called(name));
  return [...renamed(1, inputs), ...renamed(2, outputs), ...own, ...others];
}

/** A tensor with its values inside (9 raw_data) in place of where they lie (13 external_data, 14 data_location). */
export function tensorBytes(
  { bytes, name, external }: WireTensor,
  names: ReadonlyMap<string, string>,
): readonly Uint8Array[] {
  if (external === undefined && !names.has(name)) return [bytes];
  const parts: Uint8Array[] = [];
  for (const { id, at, end } of fieldsOf(bytes, source())) {
    if (id !== 8 && !(external !== undefined && (id === 9 || id === 13 || id === 14)))
      parts.push(bytes.subarray(at, end));
  }
  parts.push(...textField(8, names.get(name) ?? name));
  return external === undefined ? parts : [...parts, ...bytesField(9, external)];
}

/** A node that reads and writes other tensors in place of some. */
export function rewired(node: WireNode, names: ReadonlyMap<string, string>): WireNode {
  const renamed = (all: readonly string[]): string[] => all.map((name) => names.get(name) ?? name);
  const [inputs, outputs] = [renamed(node.inputs), renamed(node.outputs)];
  return { ...node, inputs, outputs, bytes: joined(nodeBytes(node, names)) };
}

/** Nodes and constants of ours as they lie in a file; the names of the nodes begin with `prefix`. */
export function wireParts(
  graph: Pick<OnnxGraph, 'nodes' | 'initializers'>,
  prefix: string,
): {
  readonly nodes: readonly WireNode[];
  readonly initializers: readonly WireTensor[];
} {
  const reading = { ...source(), nodesLeft: graph.nodes.length };
  const nodes: WireNode[] = [];
  const initializers: WireTensor[] = [];
  for (const { id, bytes } of fieldsOf(graphFields({ name: '', inputs: [], outputs: [], ...graph }, prefix), reading)) {
    if (id === 1) nodes.push(parseNode(bytes, reading));
    else if (id === 5) initializers.push(parseTensor(bytes, reading));
  }
  return { nodes, initializers };
}

/** Outputs of a GraphProto whose types and shapes the runtime finds. */
export const untypedOutputs = (names: readonly string[]): Uint8Array =>
  joined(names.flatMap((name) => bytesField(12, ...textField(1, name))));

/** What is written around a part of a file: fields of a GraphProto. */
export interface Surroundings {
  /** In front, with the inputs of the model. */
  readonly front: Uint8Array;
  /** Behind, with the outputs of the model. */
  readonly behind: Uint8Array;
  /** New names of tensors of the file that would be taken twice. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * The bytes of a model: a part of a file, its nodes and constants as they lie there, between operators of ours, in the
 * file's own operator sets. Messages that follow each other are one to protobuf, so the graph is three in a row.
 */
export function assemble(file: OnnxFile, cut: CutGraph, { front, behind, names }: Surroundings): Uint8Array {
  const graph = [
    front,
    ...cut.nodes.flatMap((node) => bytesField(1, ...nodeBytes(node, names))),
    ...cut.initializers.flatMap((tensor) => bytesField(5, ...tensorBytes(tensor, names))),
    ...cut.sparse.flatMap((bytes) => bytesField(15, bytes)),
    behind,
  ];
  return joined([
    ...numberField(1, Math.max(file.irVersion, LEAST_IR)),
    ...textField(2, 'permafrost'),
    ...bytesField(7, ...graph),
    ...[...file.opsets].flatMap(([domain, version]) =>
      bytesField(8, ...textField(1, domain), ...numberField(2, version)),
    ),
    ...file.functions.flatMap(({ bytes }) => bytesField(25, bytes)),
  ]);
}
