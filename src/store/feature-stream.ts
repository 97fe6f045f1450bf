import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { stampText } from '../core/file-stamp.ts';
import { matrix } from '../core/matrix.ts';
import type { RowSource } from '../core/row-source.ts';
import type { FeaturePart, Split } from '../core/sample.ts';
import { decodeFloat16 } from './float16.ts';
import type { FileEntry, Manifest } from './manifest.ts';
import { storedParts, type StoredPart } from './parts.ts';
import { eachSample, readVerified } from './reader.ts';
import { rowTargets } from './row-targets.ts';
import { decodeShard, type StoredSample } from './shard.ts';

/**
 * Features of one split, or of several after each other, as a stream: rows in the order in which they are stored. Of the samples themselves
 * nothing is kept but a label and a number each: a million of them would take 0.3 GB.
 */
export interface FeatureStream extends RowSource {
  /** Row i is of the sample of number places[i], as they count split by split in the order of their paths: where loadFeatures has the row. */
  readonly places: Int32Array;
  /** Row i is of labels[i]. */
  readonly labels: readonly string[];
  /** Which images, with which labels, in which order: SHA-256 of the JSON of pairs of an image's SHA-256 and its label, lower-case hex. */
  readonly digest: string;
  /** Bytes that reading takes at once: the largest file, and its rows in float32; and what is kept of each row. */
  readonly memory: number;
  /** How often all rows were read: a fit's cost. */
  readonly passes: () => number;
  /** The samples of these numbers, read anew from the store's list. Throws STORE_CORRUPT. */
  samplesOf(places: Iterable<number>): Promise<ReadonlyMap<number, StoredSample>>;
}

interface Block {
  /** The file of the features. */
  readonly file: FileEntry;
  /** Rows of the file that are wanted, ascending; a content that two samples share stands twice. */
  readonly picks: Int32Array;
}

/** Bytes kept of each row while a stream is open, and those of finding the rows, which are given back. */
const ROW_BYTES = 80;
const LAYING_OUT_BYTES = 250;

/** The images of a store, as they are stored or under labels and splits that count in place of those. */
type Samples = readonly StoredSample[] | undefined;

/** How many samples of each split the data set has; `all` as in streamFeatures. Throws STORE_EMPTY. */
export async function splitCounts(
  store: string,
  manifest: Manifest,
  all?: Samples,
): Promise<Record<Split, number>> {
  const counts = { train: 0, val: 0, test: 0 };
  for await (const { split } of all ?? eachSample(store, manifest)) counts[split]++;
  return counts;
}

/** The samples of some splits, each with the place of its split among these and its rank in it. */
async function* numbered(
  store: string,
  manifest: Manifest,
  splits: readonly Split[],
  all: Samples,
): AsyncGenerator<{ readonly sample: StoredSample; readonly split: number; readonly rank: number }> {
  const ranks = splits.map(() => 0);
  for await (const sample of all ?? eachSample(store, manifest)) {
    const split = splits.indexOf(sample.split);
    if (split >= 0) yield { sample, split, rank: ranks[split]!++ };
  }
}

/** Which rows of which shards are the samples of the splits, and where the numbers of each split begin. */
async function layOut(
  store: string,
  manifest: Manifest,
  { set, pooling }: StoredPart,
  splits: readonly Split[],
  all: Samples,
) {
  const lists = splits.map(() => ({ digests: [] as string[], labels: [] as string[] }));
  for await (const { sample, split } of numbered(store, manifest, splits, all)) {
    lists[split]!.digests.push(sample.sha256);
    lists[split]!.labels.push(sample.label);
  }
  const firsts = lists.map((_, i) => lists.slice(0, i).reduce((sum, { digests }) => sum + digests.length, 0));
  const labelOf = lists.flatMap((list) => list.labels);
  const targets = rowTargets(lists.flatMap((list) => list.digests));
  const places = new Int32Array(labelOf.length);
  const hash = createHash('sha256').update('[');
  const blocks: Block[] = [];
  let found = 0;
  for (const { files } of set.shards) {
    const picks: number[] = [];
    const { rows: entry, [pooling]: file } = files;
    // Written without that pooling: another shard has these rows with it.
    if (file === undefined) continue;
    let at = 0;
    for (const { rows } of decodeShard(await readVerified(store, entry), join(store, entry.name))) {
      for (const { sha256 } of rows) {
        targets.meet(sha256, (place) => {
          picks.push(at);
          hash.update(`${found === 0 ? '' : ','}${JSON.stringify([sha256, labelOf[place]])}`);
          places[found++] = place;
        });
        at++;
      }
    }
    if (picks.length > 0) blocks.push({ file, picks: Int32Array.from(picks) });
  }
  if (targets.missing > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${store} lacks the features of ${targets.missing} images. Run "permafrost extract" again.`,
    );
  }
  const labels = Array.from(places, (place) => labelOf[place]!);
  return { blocks, places, labels, firsts, digest: hash.update(']').digest('hex') };
}

/**
 * The current features of one part and of some splits, a shard a block. A shard's file is read whole and compared with its digest when it is read first, later
 * with its size, times and inode. `all` are the store's images under labels and splits that count in place of the stored ones; without it these
 * are read one by one and not kept. Throws STORE_EMPTY; STORE_CORRUPT, also in `read`.
 */
export async function streamFeatures(
  store: string,
  manifest: Manifest,
  wanted: FeaturePart,
  splits: readonly Split[],
  all?: Samples,
): Promise<FeatureStream> {
  const [part] = storedParts(store, manifest, [wanted]) as [StoredPart];
  const cols = part.width;
  const { blocks, places, labels, firsts, digest } = await layOut(store, manifest, part, splits, all);
  const starts = [0];
  for (const { picks } of blocks) starts.push(starts.at(-1)! + picks.length);
  const mostRows = Math.max(0, ...blocks.map(({ picks }) => picks.length));
  const mostBytes = Math.max(0, ...blocks.map(({ file: { bytes } }) => bytes));
  const verified = new Map<string, string>();
  let file: Buffer | undefined;
  let values: Float32Array<ArrayBuffer> | undefined;
  let read = 0;

  /** The file's bytes, in the one buffer that all files are read into. */
  async function bytesOf(entry: FileEntry): Promise<Buffer> {
    file ??= Buffer.allocUnsafeSlow(mostBytes);
    const path = join(store, entry.name);
    let stamp: string;
    let length = 0;
    try {
      const handle = await open(path);
      try {
        const facts = await handle.stat({ bigint: true });
        stamp = stampText(facts);
        if (facts.size === BigInt(entry.bytes))
          ({ bytesRead: length } = await handle.read(file, 0, entry.bytes, 0));
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} cannot be read: ${reasonOf(cause)}. Restore it, or extract again into a new store.`,
        { cause },
      );
    }
    const bytes = file.subarray(0, length);
    const known = verified.get(entry.name) === stamp && length === entry.bytes;
    if (!known && createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} is not what was written (expected ${entry.bytes} bytes with SHA-256 ${entry.sha256.slice(0, 16)}…). Restore it, or extract again into a new store.`,
      );
    }
    verified.set(entry.name, stamp);
    return bytes;
  }

  return {
    rows: places.length,
    cols,
    starts,
    places,
    labels,
    digest,
    memory:
      places.length * ROW_BYTES + Math.max(mostBytes + mostRows * cols * 4, places.length * LAYING_OUT_BYTES),
    passes: () => (places.length === 0 ? 0 : read / places.length),
    async samplesOf(wanted) {
      const left = new Set(wanted);
      const found = new Map<number, StoredSample>();
      if (left.size === 0) return found;
      for await (const { sample, split, rank } of numbered(store, manifest, splits, all)) {
        const place = firsts[split]! + rank;
        if (left.delete(place)) found.set(place, sample);
        if (left.size === 0) break;
      }
      return found;
    },
    async read(block, scales) {
      const { file: entry, picks } = blocks[block]!;
      values ??= new Float32Array(mostRows * cols);
      const start = starts[block]!;
      let at = 0;
      let first = 0;
      for (const { rows, features } of decodeShard(await bytesOf(entry), join(store, entry.name))) {
        if (features?.width !== cols) {
          throw new PermafrostError(
            'STORE_CORRUPT',
            `${store}: a shard of ${part.pooling} has the width ${features?.width}, not ${cols}.`,
          );
        }
        for (; at < picks.length && picks[at]! < first + rows.length; at++) {
          const from = (picks[at]! - first) * cols;
          writeRow(features.values.subarray(from, from + cols), values, at * cols, scales?.[start + at]);
        }
        first += rows.length;
      }
      read += picks.length;
      return matrix(picks.length, cols, values.subarray(0, picks.length * cols));
    },
  };
}

/** A stored row as float32 into `out` from `at`, times `scale`. */
function writeRow(row: Uint16Array | Float32Array, out: Float32Array, at: number, scale = 1): void {
  if (row instanceof Uint16Array) decodeFloat16(row, out, at, scale);
  else for (let j = 0; j < row.length; j++) out[at + j] = row[j]! * scale;
}
