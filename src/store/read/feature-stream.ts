import { sha256Hex } from '../../core/digest.ts';
import { matrix } from '../../core/matrix.ts';
import type { Rows } from '../../core/rows.ts';
import type { FeaturePart, Split } from '../../core/sample.ts';
import type { Manifest } from '../format/manifest.ts';
import { partReader } from './part-reader.ts';
import { storedParts } from './parts.ts';
import { eachSample } from './reader.ts';
import { layOut, numbered, type LaidOutPart, type Samples } from './row-layout.ts';
import type { StoredSample } from '../format/shard.ts';

/**
 * Features of one split, or of several after each other, as a stream: rows in the order in which their first part is
 * stored. Of the samples themselves nothing is kept but a label and a number each: a million of them would take 0.3 GB.
 */
export interface FeatureStream extends Rows {
  /**
   * Row i is of the sample of number places[i], as they count split by split in the order of their paths: where
   * loadFeatures has the row.
   */
  readonly places: Int32Array;
  /** Row i is of labels[i]. */
  readonly labels: readonly string[];
  /**
   * Which images, with which labels, in which order: SHA-256 of the JSON of pairs of an image's SHA-256 and its label,
   * lower-case hex; with views, the digest of that and of the views' fingerprints.
   */
  readonly digest: string;
  /**
   * Views of the same images, row i of the image of row i, in the same blocks. Blocks of several can be read beside
   * each other.
   */
  readonly views: readonly Rows[];
  /**
   * Bytes that reading takes at once: the largest file of each part and look, and a block of each look in float32; and
   * what is kept of each row.
   */
  readonly memory: number;
  /** Bytes of these that it takes when it is open: what finding the rows took before is given back. */
  readonly heldMemory: number;
  /** How often all rows, in all their looks, were read: a fit's cost. */
  readonly passes: () => number;
  /** The samples of these numbers, read anew from the store's list. Throws STORE_CORRUPT. */
  samplesOf(places: Iterable<number>): Promise<ReadonlyMap<number, StoredSample>>;
}

/** What is streamed, beside the defaults. */
export interface StreamOptions {
  /**
   * The store's images under labels and splits that count in place of the stored ones; by default these are read one by
   * one and not kept.
   */
  readonly samples?: Samples;
  /** How many stored views of each image, which are there of training images; by default none. */
  readonly views?: number;
}

/**
 * Bytes kept of each row while a stream is open, those for each further part of it, and those of finding the rows,
 * which are given back.
 */
const ROW_BYTES = 80;
const PART_ROW_BYTES = 8;
const LAYING_OUT_BYTES = 250;
/** Float32 values of a block in all its looks, in bytes, where a block is not simply what a file holds. */
const BLOCK_BYTES = 2 ** 27;

/** How many samples of each split the data set has; `all` as in StreamOptions. Throws STORE_EMPTY. */
export async function splitCounts(
  store: string,
  manifest: Manifest,
  all?: Samples,
): Promise<Record<Split, number>> {
  const counts = { train: 0, val: 0, test: 0 };
  for await (const { split } of all ?? eachSample(store, manifest)) counts[split]++;
  return counts;
}

/**
 * The current features of some splits, of one part or of several side by side. Of a single part a block is what one
 * file holds. Other parts and views are read in the order of the first part: where they are stored in the same order,
 * file after file as that one, else from wherever they lie (part-reader.ts); then a block is at most 128 MiB in
 * float32, all looks together. Throws STORE_EMPTY, OPTION_INVALID for a part or a view that was not stored;
 * STORE_CORRUPT, also in `read`.
 */
export async function streamFeatures(
  store: string,
  manifest: Manifest,
  wanted: readonly FeaturePart[],
  splits: readonly Split[],
  { samples: all, views = 0 }: StreamOptions = {},
): Promise<FeatureStream> {
  const stored = Array.from({ length: 1 + views }, (_, view) => storedParts(store, manifest, wanted, view));
  const cols = stored[0]!.reduce((sum, { width }) => sum + width, 0);
  const { places, labels, firsts, digest, ...layout } = await layOut(store, manifest, stored, splits, all);
  const viewSets = stored.slice(1).flatMap((look) => look.map(({ set }) => set.fingerprint));
  const rows = places.length;
  const parts = stored.flat().length;
  const most = Math.max(1, Math.floor(BLOCK_BYTES / (4 * cols * stored.length)));
  const starts = parts === 1 ? layout.starts : cutSmaller(layout.starts, most);
  const mostRows = starts.slice(1).reduce((largest, end, b) => Math.max(largest, end - starts[b]!), 0);
  let read = 0;

  function lookOf(lookParts: readonly LaidOutPart[]): { readonly source: Rows; readonly bytes: number } {
    const readers = lookParts.map((part) => partReader(store, part));
    let values: Float32Array<ArrayBuffer> | undefined;
    const source: Rows = {
      rows,
      cols,
      starts,
      async read(block, scales) {
        values ??= new Float32Array(mostRows * cols);
        const [from, to] = [starts[block]!, starts[block + 1]!];
        let column = 0;
        for (const [p, { width }] of lookParts.entries()) {
          await readers[p]!.read(from, to, { first: from, out: values, cols, column, scales });
          column += width;
        }
        read += to - from;
        return matrix(to - from, cols, values.subarray(0, (to - from) * cols));
      },
    };
    return { source, bytes: readers.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  const looks = layout.looks.map(lookOf);
  const [images, ...others] = looks.map(({ source }) => source);
  const reading = looks.reduce((sum, { bytes }) => sum + bytes, 0) + 4 * mostRows * cols * stored.length;
  const kept = rows * (ROW_BYTES + PART_ROW_BYTES * (parts - 1));
  return {
    ...images!,
    places,
    labels,
    digest: views === 0 ? digest : sha256Hex(JSON.stringify([digest, ...viewSets])),
    views: others,
    memory: kept + Math.max(reading, rows * LAYING_OUT_BYTES),
    heldMemory: kept + reading,
    passes: () => (rows === 0 ? 0 : read / (rows * stored.length)),
    async samplesOf(numbers) {
      const left = new Set(numbers);
      const found = new Map<number, StoredSample>();
      if (left.size === 0) return found;
      for await (const { sample, split, rank } of numbered(store, manifest, splits, all)) {
        const place = firsts[split]! + rank;
        if (left.delete(place)) found.set(place, sample);
        if (left.size === 0) break;
      }
      return found;
    },
  };
}

/** Blocks of no more than `most` rows that end where the others do. */
function cutSmaller(starts: readonly number[], most: number): readonly number[] {
  return starts.flatMap((start, b) => {
    const end = starts[b + 1] ?? start;
    return Array.from({ length: Math.max(1, Math.ceil((end - start) / most)) }, (_, i) => start + i * most);
  });
}
