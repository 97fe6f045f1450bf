import { PermafrostError } from '../../core/errors.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import type { WireTensor } from '../backbones/onnx-file.ts';
import { graphFields, nodeBytes, tensorBytes } from './assemble.ts';
import type { AddedPart } from './pixel-front.ts';
import { parseModel, type ParsedModel } from './wire/parse-model.ts';
import { bytesField, joined, numberField, textField } from './wire/wire.ts';

/** A whole model that becomes a part of another one. */
export interface ModelPart {
  readonly bytes: Uint8Array;
  /** What its tensors and nodes are called in the whole; undefined: as they are. */
  readonly rename?: (name: string) => string;
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

function partFields(model: ParsedModel, rename: (name: string) => string): Uint8Array[] {
  const names = newNames(model, rename);
  return [
    ...model.nodes.flatMap((node) => bytesField(1, ...nodeBytes(node, names, names.size > 1 ? rename : undefined))),
    ...[...model.initializers.values()].flatMap((tensor) => bytesField(5, ...tensorBytes(tensor as WireTensor, names))),
    ...[...model.sparse.values()].flatMap((bytes) => bytesField(15, bytes)),
  ];
}

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
      ...models.flatMap((model, i) => partFields(model, parts[i]!.rename ?? ((same) => same))),
      own(behind, { inputs: [], outputs }),
    ),
    ...[...opsets].flatMap(([domain, version]) => bytesField(8, ...textField(1, domain), ...numberField(2, version))),
    ...Object.entries(metadata).flatMap(([key, value]) => bytesField(14, ...textField(1, key), ...textField(2, value))),
    ...functions.flatMap((one) => bytesField(25, one.bytes)),
  ]);
  return { bytes, opsets };
}
