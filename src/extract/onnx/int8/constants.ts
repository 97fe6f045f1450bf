import type { OnnxFile, WireTensor } from '../../backbones/onnx-file.ts';
import { parseTensor } from '../wire/parse-tensor.ts';
import { bytesIn, fieldsOf, wireSource, type WireField, type WireSource } from '../wire/wire.ts';

const FLOAT32 = 1;

const source = (): WireSource =>
  wireSource((found) => {
    throw new Error(`what was read before is damaged: ${found}`);
  });

/** The constants of a file: its initializers, and the tensors of its Constant nodes (AttributeProto: 5 t). */
export function constantsOf({ nodes, initializers }: OnnxFile): ReadonlyMap<string, WireTensor> {
  const constants = new Map(initializers);
  for (const { op, domain, outputs, bytes } of nodes) {
    if (op !== 'Constant' || domain !== '') continue;
    for (const attribute of fieldsOf(bytes, source())) {
      if (attribute.id !== 5) continue;
      for (const field of fieldsOf(bytesIn(attribute, source()), source()))
        if (field.id === 5) constants.set(outputs[0]!, parseTensor(bytesIn(field, source()), source()));
    }
  }
  return constants;
}

/** A copy: what was read is a Buffer, whose values lie anywhere. */
const floatsIn = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

/** The values of a float32 constant: external, 9 raw_data, or 4 float_data; undefined for another type. */
export function floatsOf({ type, bytes, external }: WireTensor): Float32Array | undefined {
  if (type !== FLOAT32) return undefined;
  if (external !== undefined) return floatsIn(external);
  const listed: WireField[] = [];
  for (const field of fieldsOf(bytes, source())) {
    if (field.id === 9) return floatsIn(field.bytes);
    if (field.id === 4) listed.push(field);
  }
  const all = new Uint8Array(listed.reduce((sum, field) => sum + field.bytes.length, 0));
  let at = 0;
  for (const field of listed) {
    all.set(field.bytes, at);
    at += field.bytes.length;
  }
  return floatsIn(all);
}
