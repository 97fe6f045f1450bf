import { readFileSync } from 'node:fs';
import { readSafetensors, type SafeTensor } from '../../src/core/safetensors.ts';
import { sharedPath } from './shared.ts';

/** The tensors of a file in `shared/golden`. */
export function goldenTensors(name: string): ReadonlyMap<string, SafeTensor> {
  const path = sharedPath(`golden/${name}`);
  return readSafetensors(readFileSync(path), { name: path, code: 'STORE_CORRUPT' }).tensors;
}

/** The float32 values of one golden tensor. */
export function goldenFloats(tensors: ReadonlyMap<string, SafeTensor>, name: string): Float32Array {
  const data = tensors.get(name)?.data;
  if (!(data instanceof Float32Array)) throw new Error(`no float32 tensor ${name} in the golden file`);
  return data;
}

/**
 * max |a - b| / max |b| over whole vectors (or over `scale`, where given); Infinity where lengths differ or a value is
 * not a number.
 */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>, scale = 0): number {
  if (found.length !== expected.length) return Infinity;
  let error = 0;
  let largest = scale;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Infinity;
    error = Math.max(error, difference);
    if (scale === 0) largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return largest === 0 ? error : error / largest;
}

/** The least cosine between the rows of two matrices of `rows` rows. */
export function leastCosine(a: Float32Array, b: Float32Array, rows: number): number {
  const cols = b.length / rows;
  let least = Infinity;
  for (let r = 0; r < rows; r++) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = r * cols; i < (r + 1) * cols; i++) {
      ab += a[i]! * b[i]!;
      aa += a[i]! ** 2;
      bb += b[i]! ** 2;
    }
    least = Math.min(least, ab / Math.sqrt(aa * bb));
  }
  return least;
}
