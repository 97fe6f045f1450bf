import { foldBytes, MOST_KEPT } from '../../classify/cross-validation/fold-features.ts';
import type { Head } from '../../classify/head.ts';
import type { Normalization } from '../../classify/normalize.ts';
import { MAX_MATRIX_BYTES } from '../../store/read/rows.ts';
import { checkBound } from '../memory.ts';

/** Features of a group of configurations, as their sizes. */
export interface GroupSize {
  /** Names the features that the group starts from. */
  readonly key: string;
  /** Numbers an image. */
  readonly cols: number;
  readonly normalize: Normalization;
  /** Principal components, 0 for none. */
  readonly pca: number;
  /** Views of each image beside the image itself. */
  readonly views: number;
  readonly head: Pick<Head, 'bytesOf'>;
}

/** How a sweep is run within a bound. */
export interface SweepRoom {
  readonly threads: number;
  /** Values of features that a thread may keep for all folds at once. */
  readonly mostKept: number;
}

/** What the process takes before the first feature is read, and each thread before its first fit: measured. */
const PROCESS_BYTES = 230e6;
const THREAD_BYTES = 60e6;
/** Threads give memory back late. Measured, default grid, 22,000 images of 512 numbers: 1.11 GB, 1.00 without this. */
const LATE = 1.3;
/** Of an image beside its features: path and digests; in each thread its folds, probabilities, predictions. */
const IMAGE_BYTES = 1500;
const IMAGE_THREAD_BYTES = 300;
/** Threads that a sample is sized for: results depend on the sample, so it is the same on every machine. */
const SIZED_FOR = 2;
/** What a thread may keep for all folds where not all of MOST_KEPT fits: components of most samples. */
const LITTLE_KEPT = 2 ** 23;

/** Bytes that a sweep takes at its peak. */
function sweepBytes(
  groups: readonly GroupSize[],
  folds: number,
  images: number,
  { threads, mostKept }: SweepRoom,
): number {
  const shared = new Map<string, number>();
  for (const { key, cols, views } of groups)
    shared.set(key, Math.max(shared.get(key) ?? 0, 4 * images * cols * (1 + views)));
  const one = Math.max(0, ...groups.map((group) => foldBytes({ ...group, images }, folds, group.head, mostKept)));
  const features = [...shared.values()].reduce((sum, bytes) => sum + bytes, 0);
  const perThread = THREAD_BYTES + images * IMAGE_THREAD_BYTES + LATE * one;
  return PROCESS_BYTES + images * IMAGE_BYTES + features + threads * perThread;
}

/** How many of up to `most` images fit a bound, and one matrix. Throws OPTION_INVALID where not even `least` do. */
export function imagesWithin(
  groups: readonly GroupSize[],
  folds: number,
  { bound, most, least }: Readonly<Record<'bound' | 'most' | 'least', number>>,
): number {
  const bytesOf = (images: number): number =>
    sweepBytes(groups, folds, images, { threads: SIZED_FOR, mostKept: LITTLE_KEPT });
  // Images and views lie below each other in one matrix.
  const widest = Math.max(1, ...groups.map(({ cols, views }) => 4 * cols * (1 + views)));
  const advice = 'Give more, or leave the widest features out of the grid.';
  checkBound('sweep', bound, bytesOf(least), `a sweep of ${least} images with these features`, advice);
  let [low, high] = [least, Math.min(most, Math.floor(MAX_MATRIX_BYTES / widest)) + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (bytesOf(middle) <= bound) low = middle;
    else high = middle;
  }
  return low;
}

/** How many of up to `threads` threads sweep that many images within a bound, and how much each may keep. */
export function roomForSweep(
  groups: readonly GroupSize[],
  folds: number,
  images: number,
  { bound, threads: most }: Readonly<Record<'bound' | 'threads', number>>,
): SweepRoom {
  const fits = (threads: number, mostKept: number): boolean =>
    sweepBytes(groups, folds, images, { threads, mostKept }) <= bound;
  let threads = Math.min(most, SIZED_FOR);
  while (threads < most && fits(threads + 1, LITTLE_KEPT)) threads++;
  return { threads, mostKept: fits(threads, MOST_KEPT) ? MOST_KEPT : LITTLE_KEPT };
}
