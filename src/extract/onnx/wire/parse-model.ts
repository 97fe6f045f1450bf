import type { OnnxFile, WireNode, OnnxFileValue } from '../../backbones/onnx-file.ts';
import { checkExpansion, parseFunction, type ParsedFunction } from './parse-functions.ts';
import { MOST_NODES, parseNode, type NodeSource } from './parse-node.ts';
import { entryIn, parseTensor, parseValue, sparseName, type ParsedTensor } from './parse-tensor.ts';
import { inOrder } from './topology.ts';
import { bytesIn, fieldsOf, numberIn, textIn, wireSource, type Fail, type WireSource } from './wire.ts';

/** A model before its external values are read. */
export type ParsedModel = Omit<OnnxFile, 'path' | 'digest' | 'initializers'> & {
  readonly initializers: ReadonlyMap<string, ParsedTensor>;
};

interface ParsedGraph {
  readonly nodes: readonly WireNode[];
  readonly inputs: readonly OnnxFileValue[];
  readonly outputs: readonly OnnxFileValue[];
  readonly initializers: ReadonlyMap<string, ParsedTensor>;
  readonly sparse: ReadonlyMap<string, Uint8Array>;
}

/** A GraphProto: 1 node, 5 initializer, 11 input, 12 output, 15 sparse_initializer. */
function parseGraph(bytes: Uint8Array, source: NodeSource): ParsedGraph {
  const nodes: WireNode[] = [];
  const inputs: OnnxFileValue[] = [];
  const outputs: OnnxFileValue[] = [];
  const initializers = new Map<string, ParsedTensor>();
  const sparse = new Map<string, Uint8Array>();
  const once = (name: string): string =>
    initializers.has(name) || sparse.has(name) ? source.fail(`the constant "${name}" twice`) : name;
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) nodes.push(parseNode(bytesIn(field, source), source));
    else if (field.id === 11) inputs.push(parseValue(bytesIn(field, source), source));
    else if (field.id === 12) outputs.push(parseValue(bytesIn(field, source), source));
    else if (field.id === 5) {
      const tensor = parseTensor(bytesIn(field, source), source);
      initializers.set(once(tensor.name), tensor);
    } else if (field.id === 15) {
      const constant = bytesIn(field, source);
      sparse.set(once(sparseName(constant, source)), constant);
    }
  }
  // Old files list their constants among the inputs, newer ones those that a caller may replace.
  const required = inputs.filter(({ name }) => !initializers.has(name) && !sparse.has(name));
  if (new Set(inputs.map(({ name }) => name)).size < inputs.length) source.fail('an input twice');
  return { nodes, inputs: required, outputs, initializers, sparse };
}

/** An OperatorSetIdProto: 1 domain, 2 version. */
function parseOpset(bytes: Uint8Array, source: WireSource): [string, number] {
  let [domain, version] = ['', 0];
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) domain = textIn(field, source);
    else if (field.id === 2) version = numberIn(field, source);
  }
  return [domain === 'ai.onnx' ? '' : domain, version];
}

function finished(graph: ParsedGraph, functions: readonly ParsedFunction[], source: WireSource): ParsedGraph {
  const { fail } = source;
  if (graph.nodes.length === 0) fail('a graph without nodes');
  if (graph.outputs.length === 0) fail('a graph without outputs');
  const given = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.sparse.keys(),
  ]);
  const nodes = inOrder(graph.nodes, given, fail);
  checkExpansion(nodes, functions, source);
  return { ...graph, nodes };
}

/**
 * A ModelProto: 1 ir_version, 7 graph, 8 opset_import, 14 metadata_props, 25 functions. Time and memory are bounded by
 * the length of the file; a graph in the wrong order is put in order. Calls `fail` for what no runtime could run.
 */
export function parseModel(bytes: Uint8Array, fail: Fail): ParsedModel {
  const source: NodeSource = { ...wireSource(fail), nodesLeft: MOST_NODES };
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions: ParsedFunction[] = [];
  let irVersion = 0;
  let graph: ParsedGraph | undefined;
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) irVersion = numberIn(field, source);
    else if (field.id === 8) {
      const [domain, version] = parseOpset(bytesIn(field, source), source);
      if ((opsets.get(domain) ?? version) !== version) fail(`two versions of the operators of "${domain}"`);
      opsets.set(domain, version);
    } else if (field.id === 7) {
      if (graph !== undefined) fail('two graphs');
      graph = parseGraph(bytesIn(field, source), source);
    } else if (field.id === 14) metadata.set(...entryIn(bytesIn(field, source), source));
    else if (field.id === 25) functions.push(parseFunction(bytesIn(field, source), source));
  }
  if (irVersion < 1) fail('no IR version');
  if (graph === undefined) return fail('no graph');
  return {
    ...finished(graph, functions, source),
    irVersion,
    opsets,
    metadata,
    functions: functions.map(({ domain, name, bytes: whole }) => ({ domain, name, bytes: whole })),
  };
}
