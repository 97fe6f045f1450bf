import { SPLITS, type Split } from '../../core/sample.ts';
import { digestTable } from './digests/digest-table.ts';
import type { Digests } from './digests/row-targets.ts';
import { idOf, type SampleRows, type StoredSample } from '../format/shard.ts';

/** The samples of a store in columns: about 55 bytes an image and its path's, where objects take 300. */
export interface SampleTable {
  readonly length: number;
  /** Of the samples, sorted. */
  readonly labels: readonly string[];
  readonly bytes: number;
  /** SHA-256 by row. */
  readonly digests: Digests;
  pathOf(row: number): string;
  labelOf(row: number): string;
  splitOf(row: number): Split;
  sample(row: number): StoredSample;
  /** The row of a path, -1 where there is none. */
  rowOf(path: string): number;
  /** Images of each label, in the order of `labels`, and of each split. */
  counts(): { readonly labels: readonly number[]; readonly splits: Readonly<Record<Split, number>> };
}

/** Rows of a chunk. Columns are made chunk by chunk, for how many rows will come is not known. */
const CHUNK = 4096;

interface Chunk {
  /** UTF-8, one path after the other; path i ends at ends[i]. */
  readonly paths: Buffer;
  readonly ends: Uint32Array;
  /** Numbers of labels and splits. */
  readonly labels: Uint32Array;
  readonly splits: Uint8Array;
  /** Width and height. */
  readonly sizes: Uint32Array;
  readonly orientations: Uint8Array;
}

function chunkOf(rows: readonly StoredSample[], numberOf: (label: string) => number): Chunk {
  const paths = rows.map(({ path }) => Buffer.from(path, 'utf8'));
  let end = 0;
  return {
    ends: Uint32Array.from(paths, ({ length }) => (end += length)),
    paths: Buffer.concat(paths),
    labels: Uint32Array.from(rows, ({ label }) => numberOf(label)),
    splits: Uint8Array.from(rows, ({ split }) => SPLITS.indexOf(split)),
    sizes: Uint32Array.from(rows.flatMap(({ width, height }) => [width, height])),
    orientations: Uint8Array.from(rows, ({ orientation }) => orientation),
  };
}

const bytesOf = (chunk: Chunk): number =>
  (Object.values(chunk) as Uint8Array[]).reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Takes samples, in the order of their paths (by code units, as stores list them), into a table; keeps no object. */
export function sampleTable(samples: SampleRows): SampleTable {
  const numbers = new Map<string, number>();
  const numberOf = (label: string): number => {
    const found = numbers.get(label) ?? numbers.size;
    numbers.set(label, found);
    return found;
  };
  const chunks: Chunk[] = [];
  const digests = digestTable(samples.length);
  let waiting: StoredSample[] = [];
  let length = 0;
  for (const sample of samples) {
    digests.set(length++, sample.sha256);
    waiting.push(sample);
    if (waiting.length < CHUNK) continue;
    chunks.push(chunkOf(waiting, numberOf));
    waiting = [];
  }
  if (waiting.length > 0) chunks.push(chunkOf(waiting, numberOf));
  const names = [...numbers.keys()];

  const place = (row: number): readonly [Chunk, number] => {
    const chunk = chunks[Math.floor(row / CHUNK)];
    if (chunk === undefined || !(row < length)) throw new RangeError(`no row ${row} of ${length}`);
    return [chunk, row % CHUNK];
  };
  const pathOf = (row: number): string => {
    const [{ paths, ends }, i] = place(row);
    return paths.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]);
  };
  const labelOf = (row: number): string => {
    const [{ labels }, i] = place(row);
    return names[labels[i]!]!;
  };
  const splitOf = (row: number): Split => {
    const [{ splits }, i] = place(row);
    return SPLITS[splits[i]!]!;
  };
  return {
    length,
    labels: [...names].sort(),
    digests,
    bytes: digests.bytes + chunks.reduce((sum, chunk) => sum + bytesOf(chunk), 0),
    pathOf,
    labelOf,
    splitOf,
    sample(row) {
      const [{ sizes, orientations }, i] = place(row);
      const sha256 = digests.at(row)!;
      return {
        id: idOf(sha256),
        path: pathOf(row),
        label: labelOf(row),
        split: splitOf(row),
        sha256,
        width: sizes[2 * i]!,
        height: sizes[2 * i + 1]!,
        orientation: orientations[i]!,
      };
    },
    rowOf(path) {
      let [from, to] = [0, length];
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (pathOf(middle) < path) from = middle + 1;
        else to = middle;
      }
      return from < length && pathOf(from) === path ? from : -1;
    },
    counts() {
      const ofLabel = new Array<number>(names.length).fill(0);
      const ofSplit = new Array<number>(SPLITS.length).fill(0);
      for (const { labels, splits } of chunks) {
        for (const label of labels) ofLabel[label]!++;
        for (const split of splits) ofSplit[split]!++;
      }
      const splits = Object.fromEntries(SPLITS.map((split, s) => [split, ofSplit[s]!]));
      return {
        labels: [...names].sort().map((label) => ofLabel[numbers.get(label)!]!),
        splits: splits as Record<Split, number>,
      };
    },
  };
}
