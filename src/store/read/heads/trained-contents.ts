import { PermafrostError } from '../../../core/errors.ts';

/** The tensor of a head file that tells which images it was trained on. */
export const CONTENTS_TENSOR = 'trained/contents';

/**
 * Which images a head was trained on, by the first 64 bits of the SHA-256 of their files: 8 bytes a content. That one
 * of a million others is taken for one of a million trained on has a probability below 1e-7.
 */
export interface TrainedContents {
  /** Different contents. */
  readonly size: number;
  /** Whether an image of that content, its SHA-256 in lower-case hex, was trained on. */
  has(sha256: string): boolean;
  /** Two 32-bit words a content, as they stand in the hex digits, ascending: shape (size, 2). */
  readonly words: Int32Array;
}

/** The first 64 bits of a SHA-256 in hex. */
const keyOf = (sha256: string): bigint => BigInt(`0x${sha256.slice(0, 16)}`);

function contentsOf(keys: BigUint64Array, words: Int32Array): TrainedContents {
  return {
    size: keys.length,
    words,
    has(sha256) {
      const wanted = keyOf(sha256);
      let [from, to] = [0, keys.length];
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (keys[middle]! < wanted) from = middle + 1;
        else to = middle;
      }
      return from < keys.length && keys[from] === wanted;
    },
  };
}

/** The different contents of some images, whose SHA-256 are in lower-case hex. */
export function trainedContents(digests: Iterable<string>): TrainedContents {
  const all = BigUint64Array.from(Array.from(digests, keyOf)).sort();
  const keys = all.filter((key, i) => i === 0 || key !== all[i - 1]);
  const words = new Int32Array(2 * keys.length);
  keys.forEach((key, i) => words.set([Number(BigInt.asIntN(32, key >> 32n)), Number(BigInt.asIntN(32, key))], 2 * i));
  return contentsOf(keys, words);
}

/** The contents of a head file's tensor; undefined where an older version wrote none. Throws HEAD_CORRUPT. */
export function readTrainedContents(
  tensor: { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array } | undefined,
  file: string,
): TrainedContents | undefined {
  if (tensor === undefined) return undefined;
  const { shape, data } = tensor;
  if (!(data instanceof Int32Array) || shape.length !== 2 || shape[1] !== 2)
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${file}: ${CONTENTS_TENSOR} is no int32 of shape (n, 2). Train it again.`,
    );
  const keys = new BigUint64Array(shape[0]);
  for (let i = 0; i < keys.length; i++) keys[i] = (BigInt(data[2 * i]! >>> 0) << 32n) | BigInt(data[2 * i + 1]! >>> 0);
  for (let i = 1; i < keys.length; i++)
    if (!(keys[i - 1]! < keys[i]!))
      throw new PermafrostError('HEAD_CORRUPT', `${file}: ${CONTENTS_TENSOR} is not ascending. Train it again.`);
  return contentsOf(keys, data);
}
