import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { OnnxFile, WireNode, WireTensor } from '../backbones/onnx-file.ts';
import { readBy } from './wire/topology.ts';

/** What some tensors of a graph need. */
export interface CutGraph {
  /** In topological order. */
  readonly nodes: readonly WireNode[];
  readonly initializers: readonly WireTensor[];
  /** SparseTensorProtos. */
  readonly sparse: readonly Uint8Array[];
  /** The names of the inputs that are needed. */
  readonly inputs: readonly string[];
}

/** The place of the node that writes each tensor, its depth. */
export function depths({ nodes }: OnnxFile): ReadonlyMap<string, number> {
  return new Map(nodes.flatMap(({ outputs }, place) => outputs.map((name) => [name, place] as const)));
}

/** Names to suggest from: of a long list those that could be meant at all. */
function near(name: string, names: Iterable<string>): string[] {
  const most = Math.ceil(name.length / 3);
  return [...names].filter((one) => one !== '' && Math.abs(one.length - name.length) <= most).slice(0, 5000);
}

function unknown({ path, outputs }: OnnxFile, tensor: string, names: Iterable<string>): PermafrostError {
  return new PermafrostError(
    'OPTION_INVALID',
    `${path} has no tensor "${tensor}" that a node writes${suggest(tensor, near(tensor, names))}. Its outputs are: ${outputs.map(({ name }) => name).join(', ')}. \`permafrost backbone ${path}\` lists where it can be cut.`,
  );
}

/**
 * The nodes and constants that these tensors need, found by walking back from them; tensors that subgraphs read from
 * around them included. Throws OPTION_INVALID for a tensor that no node writes, with the nearest name, and
 * BACKBONE_INVALID where a node reads what is nowhere.
 */
export function cutGraph(file: OnnxFile, tensors: readonly string[]): CutGraph {
  const writers = depths(file);
  const given = new Set(file.inputs.map(({ name }) => name));
  const nodes = new Set<number>();
  const constants = new Set<string>();
  const inputs = new Set<string>();
  const open = tensors.map((name) => writers.get(name) ?? throwIt(unknown(file, name, writers.keys())));
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (nodes.has(place)) continue;
    nodes.add(place);
    const node = file.nodes[place]!;
    for (const name of readBy(node)) {
      const writer = writers.get(name);
      if (writer !== undefined) open.push(writer);
      else if (given.has(name)) inputs.add(name);
      else if (file.initializers.has(name) || file.sparse.has(name)) constants.add(name);
      else if (name !== '') throw nowhere(file, node, name);
    }
  }
  return {
    nodes: [...nodes].sort((a, b) => a - b).map((place) => file.nodes[place]!),
    initializers: [...file.initializers.values()].filter(({ name }) => constants.has(name)),
    sparse: [...file.sparse].flatMap(([name, bytes]) => (constants.has(name) ? [bytes] : [])),
    inputs: file.inputs.flatMap(({ name }) => (inputs.has(name) ? [name] : [])),
  };
}

const throwIt = (error: PermafrostError): never => {
  throw error;
};

const nowhere = ({ path }: OnnxFile, { op, name }: WireNode, tensor: string): PermafrostError =>
  new PermafrostError(
    'BACKBONE_INVALID',
    `${path} is not an ONNX model that can be run: its node ${op} "${name}" reads the tensor "${tensor}", which nothing writes. Export it again.`,
  );
