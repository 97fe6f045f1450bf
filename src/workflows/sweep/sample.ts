import { PermafrostError } from '../../core/errors.ts';
import { contentKey } from '../../store/read/digests/content-key.ts';
import type { SampleRows, StoredSample } from '../../store/format/shard.ts';

/** Different images that each class keeps where it can: two are needed to be in every fold's training part. */
const LEAST_OF_A_CLASS = 10;

/** The key of the `least`-th different image of ascending keys, or the last. */
function floorOf(keys: Uint32Array, least: number): number {
  let different = 0;
  for (const [i, key] of keys.entries()) if (key !== keys[i - 1] && ++different > least) return keys[i - 1]!;
  return keys.at(-1)!;
}

/** How many of ascending keys are at most `highest`. */
function countUpTo(keys: Uint32Array, highest: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= highest) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The training images, or of more than `most` those whose SHA-256 is lowest: the same ones on any machine, copies
 * together. A class with few among them keeps its own lowest. Throws OPTION_INVALID where `most` has no room for two of
 * each class.
 */
export function sampleTrain(images: SampleRows, trained: number, most: number): readonly StoredSample[] {
  const inTrain = function* () {
    for (const sample of images) if (sample.split === 'train') yield sample;
  };
  if (trained <= most) return [...inTrain()];
  const keys = new Map<string, number[]>();
  for (const sample of inTrain()) {
    const found = keys.get(sample.label);
    if (found === undefined) keys.set(sample.label, [contentKey(sample)]);
    else found.push(contentKey(sample));
  }
  const highest = highestKeys(keys, most);
  const samples: StoredSample[] = [];
  for (const sample of inTrain()) if (contentKey(sample) <= highest.get(sample.label)!) samples.push(sample);
  return samples;
}

/** For each class the highest key that is in a sample of `most` images. */
function highestKeys(found: ReadonlyMap<string, readonly number[]>, most: number): ReadonlyMap<string, number> {
  const classes = [...found].map(([label, keys]) => ({ label, keys: Uint32Array.from(keys).sort() }));
  for (let least = LEAST_OF_A_CLASS; least >= 2; least--) {
    const lists = classes.map(({ label, keys }) => ({ label, keys, floor: floorOf(keys, least) }));
    const sizeAt = (key: number): number =>
      lists.reduce((sum, { keys, floor }) => sum + countUpTo(keys, Math.max(key, floor)), 0);
    if (sizeAt(-1) > most) continue;
    let [low, high] = [-1, 2 ** 32];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (sizeAt(middle) <= most) low = middle;
      else high = middle;
    }
    return new Map(lists.map(({ label, floor }) => [label, Math.max(low, floor)]));
  }
  throw new PermafrostError(
    'OPTION_INVALID',
    `sweep: ${most} images have no room for two different ones of each of ${found.size} classes. Give more with --images, and more --memory where the features need it.`,
  );
}
