import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Split } from '../../core/sample.ts';
import type { Manifest } from '../format/manifest.ts';
import { decodeList, shardMetadata, type SampleRows, type StoredSample } from '../format/shard.ts';
import { splitOriginIn, type SplitOrigin } from '../format/split-origin.ts';
import { isStoreChanged } from './changed.ts';
import type { StoreFiles } from './file.ts';

/** Images of each split. */
export type SplitCounts = Readonly<Record<Split, number>>;

/** The samples of a data set, in the order of their paths. */
export interface SampleList {
  /** An array where the list is short; else rows that are decoded anew whenever they are walked through. */
  samples(): Promise<SampleRows>;
  /** Images by split. */
  counts(): Promise<SplitCounts>;
}

/**
 * Lists of at most so many bytes on the disk are kept in memory: some 100,000 images, 30 MB there. A million would take
 * 0.3 GB: those are read from the disk each time.
 */
const KEPT_LIST_BYTES = 16 * 2 ** 20;

/** A list on the disk. */
export interface StoredList extends SampleList {
  /** Keeps it readable when another one takes its place, where it is whole. Throws STORE_CHANGED where one just did. */
  hold(): Promise<void>;
}

/** The list of the last extraction. Throws STORE_EMPTY where none was completed, STORE_CORRUPT, STORE_CHANGED. */
export function storedList(files: StoreFiles, { dataset }: Manifest, keptBytes = KEPT_LIST_BYTES): StoredList {
  let list: Promise<SampleRows> | undefined;
  let known: SplitCounts | undefined;
  async function samples(): Promise<SampleRows> {
    if (dataset.samples === undefined || dataset.samples.bytes > keptBytes) return read();
    list ??= read().then((rows) => [...rows]);
    list.catch(() => (list = undefined)); // read again by the next one who asks
    return list;
  }
  async function read(): Promise<SampleRows> {
    const entry = dataset.samples;
    if (entry === undefined) {
      throw new PermafrostError(
        'STORE_EMPTY',
        `${files.path} holds no completed extraction. Run "permafrost extract" or "permafrost run" again: what is sealed is kept.`,
      );
    }
    const bytes = await files.read(entry);
    const batches = () => decodeList(bytes, join(files.path, entry.name));
    let length = 0;
    for (const batch of batches()) length += batch.length;
    return {
      length,
      *[Symbol.iterator]() {
        for (const rows of batches()) yield* rows;
      },
    };
  }
  return {
    samples,
    counts: async () => (known ??= countSplits(await samples())),
    async hold() {
      if (dataset.samples === undefined) return;
      try {
        await (dataset.samples.bytes > keptBytes ? files.hold(dataset.samples) : samples());
      } catch (error) {
        if (isStoreChanged(error)) throw error; // who asks for a damaged list is told
      }
    },
  };
}

/** How the splits of a store's list came about; undefined where it does not say. Throws STORE_CORRUPT. */
export async function splitOrigin(files: StoreFiles, { dataset }: Manifest): Promise<SplitOrigin | undefined> {
  if (dataset.samples === undefined) return undefined;
  const name = join(files.path, dataset.samples.name);
  const metadata = shardMetadata(await files.read(dataset.samples), name);
  try {
    return splitOriginIn(metadata);
  } catch (cause) {
    throw new PermafrostError('STORE_CORRUPT', `${name} is damaged: ${reasonOf(cause)}.`, { cause });
  }
}

/** Samples that are in memory. */
export function givenList(samples: readonly StoredSample[]): SampleList {
  const counts = countSplits(samples);
  return { samples: () => Promise.resolve(samples), counts: () => Promise.resolve(counts) };
}

function countSplits(samples: Iterable<StoredSample>): SplitCounts {
  const counts = { train: 0, val: 0, test: 0 };
  for (const { split } of samples) counts[split]++;
  return counts;
}
