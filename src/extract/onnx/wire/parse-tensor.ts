import { byteLength, typeName } from './element-types.ts';
import type { WireTensor, OnnxFileValue } from '../../backbones/onnx-file.ts';
import { bytesIn, fieldsOf, numberIn, numbersIn, textIn, type WireSource } from './wire.ts';

/** Where a tensor's values lie when they lie in another file: the entries of external_data. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  /** Default: what the tensor's shape needs. */
  readonly length: number | undefined;
}

/** A tensor before its external values are read. */
export type ParsedTensor = Omit<WireTensor, 'external'> & { readonly place?: ExternalPlace };

/** No network has a constant of more axes. */
const MOST_DIMS = 64;

/** The key and the value of a StringStringEntryProto. */
export function entryIn(bytes: Uint8Array, source: WireSource): [string, string] {
  let [key, value] = ['', ''];
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) key = textIn(field, source);
    else if (field.id === 2) value = textIn(field, source);
  }
  return [key, value];
}

function placeOf(name: string, entries: ReadonlyMap<string, string>, { fail }: WireSource): ExternalPlace {
  const location = entries.get('location');
  if (!location) return fail(`the tensor "${name}" in an external file that is not named`);
  const size = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    return /^\d{1,15}$/.test(text) ? Number(text) : fail(`the tensor "${name}" with the external ${key} "${text}"`);
  };
  return { location, offset: size('offset') ?? 0, length: size('length') };
}

/** A TensorProto: fields 1 dims, 2 data_type, 8 name, 13 external_data, 14 data_location, and its values in others. */
export function parseTensor(bytes: Uint8Array, source: WireSource): ParsedTensor {
  const { fail } = source;
  const dims: number[] = [];
  const entries = new Map<string, string>();
  let [name, type, isExternal] = ['', 0, false];
  let raw: number | undefined;
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) dims.push(...numbersIn(field, source, MOST_DIMS));
    else if (field.id === 2) type = numberIn(field, source);
    else if (field.id === 8) name = textIn(field, source);
    else if (field.id === 9) raw = bytesIn(field, source).length;
    else if (field.id === 13) entries.set(...entryIn(bytesIn(field, source), source));
    else if (field.id === 14) isExternal = numberIn(field, source) === 1;
    if (dims.length > MOST_DIMS) fail(`the tensor "${name}" of more than ${MOST_DIMS} axes`);
  }
  const wrong = dims.find((size) => size < 0);
  if (wrong !== undefined) fail(`the tensor "${name}" with an axis of ${wrong}`);
  const needed = byteLength(type, dims);
  if (raw !== undefined && needed !== undefined && raw !== needed) {
    fail(`the tensor "${name}" with ${raw} bytes, its shape (${dims.join(', ')}) of ${typeName(type)} needs ${needed}`);
  }
  // Typed values take half a byte or more each: a larger shape has been made up.
  const elements = dims.reduce((product, size) => product * size, 1);
  if (raw === undefined && !isExternal && elements > 2 * bytes.length) {
    fail(`the tensor "${name}" of ${bytes.length} bytes, its shape (${dims.join(', ')}) has ${elements} values`);
  }
  return { name, dims, type, bytes, ...(isExternal && { place: placeOf(name, entries, source) }) };
}

/** The name of a SparseTensorProto, which is that of its values. Its parts must lie in the file itself. */
export function sparseName(bytes: Uint8Array, source: WireSource): string {
  let name = '';
  for (const field of fieldsOf(bytes, source)) {
    if (field.id !== 1 && field.id !== 2) continue;
    const tensor = parseTensor(bytesIn(field, source), source);
    if (tensor.place !== undefined) source.fail(`the sparse constant "${tensor.name}" in an external file`);
    if (field.id === 1) ({ name } = tensor);
  }
  return name;
}

/** A TensorShapeProto.Dimension: a size, else its name; a size of 0 or less stands for any in some files. */
function dimensionIn(bytes: Uint8Array, source: WireSource): number | string {
  let dimension: number | string = '';
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) dimension = numberIn(field, source) > 0 ? field.value : '';
    else if (field.id === 2) dimension = textIn(field, source);
  }
  return dimension;
}

/** The message in the field of this number; empty where there is none. */
function inside(bytes: Uint8Array, id: number, source: WireSource): Uint8Array {
  let found = new Uint8Array(0) as Uint8Array;
  for (const field of fieldsOf(bytes, source)) if (field.id === id) found = bytesIn(field, source);
  return found;
}

/** A ValueInfoProto: 1 name, 2 type, whose field 1 is that of a tensor (1 elem_type, 2 shape). */
export function parseValue(bytes: Uint8Array, source: WireSource): OnnxFileValue {
  let name = '';
  for (const field of fieldsOf(bytes, source)) if (field.id === 1) name = textIn(field, source);
  const shape: (number | string)[] = [];
  let type = 0;
  for (const field of fieldsOf(inside(inside(bytes, 2, source), 1, source), source)) {
    if (field.id === 1) type = numberIn(field, source);
    if (field.id !== 2) continue;
    for (const dim of fieldsOf(bytesIn(field, source), source)) {
      if (dim.id === 1) shape.push(dimensionIn(bytesIn(dim, source), source));
      if (shape.length > MOST_DIMS) source.fail(`"${name}" of more than ${MOST_DIMS} axes`);
    }
  }
  return { name, type, shape };
}
