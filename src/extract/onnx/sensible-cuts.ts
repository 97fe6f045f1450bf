import type { OnnxFile, WireNode } from '../backbones/onnx-file.ts';
import { depths } from './cut-graph.ts';
import { imageInput } from './image-input.ts';
import { computedFrom } from './reach.ts';

/** A tensor at which a network is sensibly cut, and why. */
export interface SensibleCut {
  readonly tensor: string;
  /** The place of its node in topological order. */
  readonly depth: number;
  readonly what: 'block' | 'pool' | 'penultimate' | 'output';
}

/** What a person can choose from. */
const MOST_CUTS = 20;

const POOLS = new Set(['MaxPool', 'AveragePool']);
/** What goes into the last one is the last map; the others are within blocks (squeeze and excitation). */
const GLOBAL_POOLS = new Set(['GlobalAveragePool', 'GlobalMaxPool']);
const ACTIVATIONS = new Set(['Relu', 'Clip']);
/** Of sums that only these read: GELU written out (x + 0.0447 x^3 under a tanh), no blocks. */
const WITHIN_ACTIVATIONS = new Set(['Mul', 'Tanh']);
const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedGemm', 'FusedMatMul']);
/** What may lie between the last product and the output of a classifier. */
const BEHIND_PRODUCTS = new Set(['Add', 'Softmax', 'LogSoftmax', 'Sigmoid', 'Identity', 'Cast', 'Flatten', 'Reshape', 'Squeeze', 'QuantizeLinear', 'DequantizeLinear']); // prettier-ignore

/** A graph with what is asked of it for every node. */
interface Wired {
  readonly file: OnnxFile;
  readonly depth: ReadonlyMap<string, number>;
  readonly readers: ReadonlyMap<string, readonly WireNode[]>;
  /** What is computed from the image alone. */
  readonly computed: ReadonlySet<string>;
}

function wired(file: OnnxFile, input: string): Wired {
  const readers = new Map<string, WireNode[]>();
  for (const node of file.nodes) {
    for (const name of node.inputs) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  }
  return { file, depth: depths(file), readers, computed: computedFrom(file, input) };
}

const pools = ({ nodes }: OnnxFile): (string | undefined)[] =>
  nodes.flatMap(({ op, outputs: [name] }) => (POOLS.has(op) ? [name] : []));

/** The output of a sum, or of the activation behind it where nothing else reads it. */
function blockEnd(node: WireNode, { readers }: Wired): string {
  const end = node.outputs[0]!;
  const behind = readers.get(end) ?? [];
  return behind.length === 1 && ACTIVATIONS.has(behind[0]!.op) ? behind[0]!.outputs[0]! : end;
}

/** Where blocks end: sums of two computed tensors, what such a sum adds to (the block before), and concatenations. */
function blocks(graph: Wired): string[] {
  const { file, computed, depth, readers } = graph;
  return file.nodes.flatMap((node) => {
    const given = node.inputs.filter((name) => computed.has(name));
    if (new Set(given).size < 2 || !computed.has(node.outputs[0]!)) return [];
    if (node.op === 'Concat') return [node.outputs[0]!];
    if (node.op !== 'Add') return [];
    const behind = readers.get(node.outputs[0]!) ?? [];
    if (behind.length > 0 && behind.every(({ op }) => WITHIN_ACTIVATIONS.has(op))) return [];
    const shortcut = given.reduce((a, b) => ((depth.get(a) ?? -1) < (depth.get(b) ?? -1) ? a : b));
    return depth.has(shortcut) ? [shortcut, blockEnd(node, graph)] : [blockEnd(node, graph)];
  });
}

/**
 * What goes into the last product with constant weights before a tensor, with nothing but a bias and a normalisation of
 * probabilities behind it; undefined where there is none.
 */
export function beforeLastProduct(file: OnnxFile, tensor: string, computed: ReadonlySet<string>): string | undefined {
  const depth = depths(file);
  let at: string | undefined = tensor;
  while (at !== undefined) {
    const node: WireNode | undefined = file.nodes[depth.get(at) ?? -1];
    if (node === undefined) return undefined;
    const given: readonly string[] = [...new Set(node.inputs.filter((name) => computed.has(name)))];
    if (given.length !== 1) return undefined;
    if (PRODUCTS.has(node.op)) return depth.has(given[0]!) ? given[0] : undefined;
    at = BEHIND_PRODUCTS.has(node.op) ? given[0] : undefined;
  }
  return undefined;
}

/** At most so many, the deepest and others at equal distances: of two sums a block those that end blocks. */
function thinned(cuts: readonly SensibleCut[], most: number): readonly SensibleCut[] {
  const step = Math.ceil(cuts.length / Math.max(1, most));
  return step <= 1 ? cuts : cuts.filter((_, i) => (cuts.length - 1 - i) % step === 0);
}

/**
 * Where a network is sensibly cut, shallow to deep, about 20 tensors at most: its outputs, what goes into the last Gemm
 * or MatMul (`penultimate`), the ends of blocks, pools. Only tensors that need the image alone. `input`: the name of
 * the image's input, by default the only one there is. Throws as imageInput.
 */
export function sensibleCuts(file: OnnxFile, input = imageInput(file).name): readonly SensibleCut[] {
  const graph = wired(file, input);
  const { depth, computed } = graph;
  const found = new Map<string, SensibleCut>();
  const add = (what: SensibleCut['what'], tensors: readonly (string | undefined)[]): void => {
    for (const tensor of tensors) {
      const at = tensor === undefined ? undefined : depth.get(tensor);
      if (tensor === undefined || at === undefined || !computed.has(tensor) || found.has(tensor)) continue;
      found.set(tensor, { tensor, depth: at, what });
    }
  };
  const outputs = file.outputs.map(({ name }) => name);
  add('output', outputs);
  add(
    'penultimate',
    outputs.map((name) => beforeLastProduct(file, name, computed)),
  );
  const kept = [...found.values()];
  add('pool', pools(file));
  add('block', [file.nodes.findLast(({ op }) => GLOBAL_POOLS.has(op))?.inputs[0]]);
  add('block', blocks(graph));
  const inner = [...found.values()].slice(kept.length).sort((a, b) => a.depth - b.depth);
  return [...kept, ...thinned(inner, MOST_CUTS - kept.length)].sort((a, b) => a.depth - b.depth);
}
