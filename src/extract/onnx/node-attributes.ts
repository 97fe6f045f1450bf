import { PermafrostError } from '../../core/errors.ts';
import type { WireNode } from '../backbones/onnx-file.ts';
import { bytesIn, fieldsOf, numberIn, numbersIn, textIn, wireSource, type WireSource } from './wire/wire.ts';

/** More axes than tensors have. */
const MOST_INTEGERS = 1000;

/** An AttributeProto of integers: 1 name, 3 i, 8 ints. */
function integersIn(bytes: Uint8Array, source: WireSource): { name: string; integers: number[] } {
  const integers: number[] = [];
  let name = '';
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) name = textIn(field, source);
    else if (field.id === 3) integers.push(numberIn(field, source));
    else if (field.id === 8) for (const one of numbersIn(field, source, MOST_INTEGERS)) integers.push(one);
  }
  return { name, integers };
}

/** The integers of a node's attribute, of one that is a single integer too; undefined where the node lacks it. */
export function integersOf({ op, name, bytes }: WireNode, attribute: string): readonly number[] | undefined {
  const source = wireSource((found) => {
    throw new PermafrostError(
      'BACKBONE_INVALID',
      `An attribute of the node ${op} "${name}" is damaged: found ${found}.`,
    );
  });
  for (const field of fieldsOf(bytes, source)) {
    if (field.id !== 5) continue;
    const found = integersIn(bytesIn(field, source), source);
    if (found.name === attribute) return found.integers;
  }
  return undefined;
}

/** The number of a node's float attribute (AttributeProto: 2 f); undefined where the node lacks it. */
export function floatOf({ op, name, bytes }: WireNode, attribute: string): number | undefined {
  const source = wireSource((found) => {
    throw new PermafrostError(
      'BACKBONE_INVALID',
      `An attribute of the node ${op} "${name}" is damaged: found ${found}.`,
    );
  });
  for (const field of fieldsOf(bytes, source)) {
    if (field.id !== 5) continue;
    let [found, value] = ['', undefined as number | undefined];
    for (const inner of fieldsOf(bytesIn(field, source), source)) {
      if (inner.id === 1) found = textIn(inner, source);
      else if (inner.id === 2 && inner.bytes.length === 4)
        [value] = new Float32Array(new Uint8Array(inner.bytes).buffer);
    }
    if (found === attribute) return value;
  }
  return undefined;
}
