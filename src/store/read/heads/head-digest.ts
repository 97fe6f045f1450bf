import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../core/digest.ts';

interface HeadTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** SHA-256 over a head's document and its tensors' names, shapes and bytes. */
export function headDigest(document: object, tensors: ReadonlyMap<string, HeadTensor>): string {
  const hash = createHash('sha256').update(canonicalJson(document));
  for (const name of [...tensors.keys()].sort()) {
    const { shape, data } = tensors.get(name)!;
    const kind = data instanceof Float32Array ? 'F32' : 'I32';
    hash.update(`\n${JSON.stringify(name)} ${kind} ${shape.join('x')}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
