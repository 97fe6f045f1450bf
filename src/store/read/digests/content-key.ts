import type { StoredSample } from '../../format/shard.ts';

/** The first 32 bits of the SHA-256. The lowest keys make a sample: the same on any machine, copies together. */
export const contentKey = ({ sha256 }: StoredSample): number => parseInt(sha256.slice(0, 8), 16);

/** The highest key that is in a sample of `most` images, which have these keys; Infinity where all of them are. */
export const highestKey = (keys: readonly number[], most: number): number =>
  keys.length <= most ? Infinity : Uint32Array.from(keys).sort()[most - 1]!;
