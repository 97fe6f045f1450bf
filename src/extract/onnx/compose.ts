import { PermafrostError } from '../../core/errors.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import type { WireTensor } from '../backbones/onnx-file.ts';
import { graphFields, nodeBytes, rewired, tensorBytes } from './assemble.ts';
import type { AddedPart } from './pixel-front.ts';
import { parseModel, type ParsedModel } from './wire/parse-model.ts';
import { bytesField, joined, numberField, textField } from './wire/wire.ts';

/** A whole model that becomes a part of another one. */
export interface ModelPart {
  readonly bytes: Uint8Array;
  /** What its tensors and nodes are called in the whole; undefined: as they are. */
  readonly rename?: (name: string) => string;
  /** Of its constants those that are kept in float16 and cast when they are read: their bits by their names. */
  readonly inHalf?: (constants: readonly WireTensor[]) => ReadonlyMap<string, Uint16Array>;
  /** A tensor that is rounded to float16 before others read it, as a store would keep it. */
  readonly rounded?: string | undefined;
}

/** What is put around the parts. */
export interface Composition {
  readonly name: string;
  readonly parts: readonly ModelPart[];
  readonly inputs: OnnxGraph['inputs'];
  /** Operators that the parts read from. */
  readonly front: AddedPart;
  /** Operators that read from the parts. */
  readonly behind: AddedPart;
  readonly outputs: OnnxGraph['outputs'];
  readonly metadata: Readonly<Record<string, string>>;
}

/** From here on all operators that are put around a part mean the same. */
const LEAST_OPSET = 13;

const damaged = (found: string): never => {
  throw new Error(`a model that was written here is damaged: ${found}`);
};

/** The operator sets of all parts. Throws BACKBONE_INVALID where they are of two versions, or too old. */
function commonOpsets(models: readonly ParsedModel[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { opsets } of models) {
    for (const [domain, version] of opsets) {
      const known = found.get(domain) ?? version;
      if (known !== version)
        throw new PermafrostError(
          'BACKBONE_INVALID',
          `Networks of the opsets ${known} and ${version} cannot stand in one file. Export one of them again, with the opset of the other.`,
        );
      found.set(domain, version);
    }
  }
  const opset = found.get('') ?? 0;
  if (opset >= LEAST_OPSET) return found;
  throw new PermafrostError(
    'BACKBONE_INVALID',
    `The network is of opset ${opset}, and what is put around it needs ${LEAST_OPSET}. Export it again with opset 17, or convert it with onnx.version_converter.`,
  );
}

/** The new names of a part's tensors. Throws BACKBONE_INVALID where a subgraph reads one that is renamed. */
function newNames(
  { nodes, initializers, inputs, sparse }: ParsedModel,
  rename: (name: string) => string,
): Map<string, string> {
  const names = [
    ...inputs.map(({ name }) => name),
    ...initializers.keys(),
    ...sparse.keys(),
    ...nodes.flatMap(({ outputs }) => outputs),
  ];
  const changed = new Map(
    names.flatMap((name) => (name === '' || rename(name) === name ? [] : [[name, rename(name)] as const])),
  );
  const fixed = [...nodes.flatMap(({ outer }) => outer), ...sparse.keys()].find((name) => changed.has(name));
  if (fixed !== undefined)
    throw new PermafrostError(
      'BACKBONE_INVALID',
      `A network has a subgraph that reads the tensor "${fixed}", a name that is needed for something else in the file. Rename the tensor, or train a head on one network alone.`,
    );
  return changed;
}

const [FLOAT32, FLOAT16] = [1, 10];

/** A constant in float16 under another name, little-endian. */
function halfTensor(name: string, dims: readonly number[], bits: Uint16Array): Uint8Array[] {
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
  const parts = [...dims.flatMap((size) => numberField(1, size)), ...numberField(2, FLOAT16)];
  return [...parts, ...textField(8, name), ...bytesField(9, bytes)];
}

function partFields(model: ParsedModel, { rename = (same) => same, inHalf, rounded }: ModelPart): Uint8Array[] {
  const names = newNames(model, rename);
  const tensors: Uint8Array[] = [];
  const casts: OnnxGraph['nodes'][number][] = [];
  const halves = inHalf?.([...model.initializers.values()]);
  for (const tensor of model.initializers.values()) {
    const bits = halves?.get(tensor.name);
    const name = rename(tensor.name);
    if (bits === undefined) tensors.push(...bytesField(5, ...tensorBytes(tensor, names)));
    else {
      tensors.push(...bytesField(5, ...halfTensor(`${name}/half`, tensor.dims, bits)));
      casts.push({ op: 'Cast', inputs: [`${name}/half`], outputs: [name], attributes: { to: FLOAT32 } });
    }
  }
  const called = names.size > 1 ? rename : undefined;
  const nodes: Uint8Array[] = [];
  const stored = `${rounded}/stored`;
  if (rounded !== undefined) names.set(stored, rename(stored));
  let isStored = false;
  for (const node of model.nodes) {
    const reads = rounded !== undefined && node.inputs.includes(rounded);
    // Operators stand behind those that they read.
    if (reads && !isStored) nodes.push(nodeFields(roundedNodes(rename(rounded), rename(stored))));
    isStored ||= reads;
    const own = reads ? rewired(node, new Map([[rounded, stored]])) : node;
    nodes.push(...bytesField(1, ...nodeBytes(own, names, called)));
  }
  const sparse = [...model.sparse.values()].flatMap((bytes) => bytesField(15, bytes));
  return [nodeFields(casts), ...nodes, ...tensors, ...sparse];
}

/** Operators of ours as fields of a GraphProto. */
const nodeFields = (nodes: OnnxGraph['nodes']): Uint8Array =>
  graphFields({ name: '', nodes, initializers: [], inputs: [], outputs: [] }, 'cast/');

const roundedNodes = (from: string, to: string): OnnxGraph['nodes'] => [
  { op: 'Cast', inputs: [from], outputs: [`${to}/half`], attributes: { to: FLOAT16 } },
  { op: 'Cast', inputs: [`${to}/half`], outputs: [to], attributes: { to: FLOAT32 } },
];

/**
 * One model of whole models and operators of ours around them, in the operator sets of those models. Throws
 * BACKBONE_INVALID where they do not go together.
 */
export function composedModel({ name, parts, inputs, front, behind, outputs, metadata }: Composition): {
  readonly bytes: Uint8Array;
  /** Versions of the operator sets by domain; '' is the standard's own. */
  readonly opsets: ReadonlyMap<string, number>;
} {
  const models = parts.map((part) => parseModel(part.bytes, damaged));
  const opsets = commonOpsets(models);
  const functions = models.flatMap((model) => model.functions);
  const own = (part: AddedPart, values: Pick<OnnxGraph, 'inputs' | 'outputs'>): Uint8Array =>
    graphFields({ name, ...part, ...values }, '');
  const bytes = joined([
    ...numberField(1, Math.max(8, ...models.map(({ irVersion }) => irVersion))),
    ...textField(2, 'permafrost'),
    ...bytesField(
      7,
      own(front, { inputs, outputs: [] }),
      ...models.flatMap((model, i) => partFields(model, parts[i]!)),
      own(behind, { inputs: [], outputs }),
    ),
    ...[...opsets].flatMap(([domain, version]) => bytesField(8, ...textField(1, domain), ...numberField(2, version))),
    ...Object.entries(metadata).flatMap(([key, value]) => bytesField(14, ...textField(1, key), ...textField(2, value))),
    ...functions.flatMap((one) => bytesField(25, one.bytes)),
  ]);
  return { bytes, opsets };
}
