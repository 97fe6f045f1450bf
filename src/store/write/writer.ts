import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { DEFAULT_POOLINGS, POOLINGS, widthOf, type FeatureBatch, type Pooling } from '../../core/sample.ts';
import { writeFileAtomic } from '../format/atomic-file.ts';
import { encodeFloat16, FLOAT16_MAX } from '../format/float16.ts';
import type { FeatureSetDraft, FileEntry, ShardEntry, StoreDraft } from '../format/manifest.ts';
import { writeManifest } from '../format/manifest-file.ts';
import { shardNumber, shardStem, writeSeal } from './shard-files.ts';
import { isHalf, mostRows } from './shard-rows.ts';
import { encodeShard, idOf, type FeatureColumn, type ContentRow } from '../format/shard.ts';

export interface WriterOptions {
  /** The writer keeps its manifest up to date, on disk and in memory. */
  readonly store: StoreDraft;
  /** The set of its manifest that rows are added to. */
  readonly set: FeatureSetDraft;
  /** The poolings that its shards get; every batch must have them. Default: DEFAULT_POOLINGS. */
  readonly poolings?: readonly Pooling[];
  /** Rows to come at most: keeps the buffers of a small data set small. */
  readonly expectedRows: number;
  /** Bytes of features a shard file (default 64 MiB, at most 256 MiB): the most that a kill loses. */
  readonly shardBytes?: number;
  /** The version of the decoder that the images were read with (default 1). */
  readonly decoder?: number;
}

export interface FeatureWriter {
  /** Adds rows; seals a shard when it is full. Throws FEATURE_OVERFLOW or STORE_WRITE; sealed shards stay. */
  append(batch: FeatureBatch): Promise<void>;
  /** Seals the shard that is open, so that rows to come stand in another. Throws STORE_WRITE. */
  endShard(): Promise<void>;
  /** Makes all that was appended durable, and the manifest name it. */
  seal(): Promise<void>;
}

/**
 * Shards that the manifest does not name yet, as a share of all, before it is written anew. Each shard then costs the
 * writing of nine entries or fewer; up to eight shards, each is written.
 */
const UNLISTED_SHARE = 1 / 8;

type Buffers = ReadonlyMap<Pooling, Uint16Array | Float32Array>;

/**
 * A writer of one set's shards: Arrow files (rows, and one a pooling) and their seal, all in place before the manifest
 * names them. Later shards are named a few at a time; until then their seals count (takeUpSealed).
 */
export function featureWriter(options: WriterOptions): FeatureWriter {
  const { store, set } = options;
  const { settings } = set;
  const width = (pooling: Pooling): number => widthOf(set.widths, pooling);
  const poolings = POOLINGS.filter((pooling) => (options.poolings ?? DEFAULT_POOLINGS).includes(pooling));
  const capacity = Math.max(1, Math.min(options.expectedRows, mostRows({ ...set, poolings }, options.shardBytes)));
  let rows: ContentRow[] = [];
  let buffers: Buffers | undefined;
  /** Shards of this writer that the manifest on disk does not name. */
  let unlisted = 0;
  let nextNumber = 0;
  let numbered = 0;

  /** The number of the next shard: above all that the set has, so that no file is ever written twice. */
  function next(): number {
    for (; numbered < set.shards.length; numbered++)
      nextNumber = Math.max(nextNumber, shardNumber(set.shards[numbered]!) + 1);
    return nextNumber;
  }

  async function list(): Promise<void> {
    await writeManifest(store);
    unlisted = 0;
  }

  const isListingDue = (): boolean =>
    set.shards.length === 1 ||
    unlisted >= UNLISTED_SHARE * store.manifest.sets.reduce((sum, { shards }) => sum + shards.length, 0);

  const allocate = (): Buffers =>
    new Map(
      poolings.map((pooling) => {
        const length = capacity * width(pooling);
        return [pooling, isHalf(set, pooling) ? new Uint16Array(length) : new Float32Array(length)] as const;
      }),
    );

  function put(into: Buffers, pooling: Pooling, path: string, values: Float32Array): void {
    const target = into.get(pooling)!;
    const offset = rows.length * width(pooling);
    if (target instanceof Float32Array) {
      target.set(values, offset);
    } else if (encodeFloat16(values, target, offset) > 0) {
      throw new PermafrostError(
        'FEATURE_OVERFLOW',
        `Features of ${path} at ${settings.cut} exceed ${FLOAT16_MAX}, the largest float16. Extract with --dtype float32.`,
      );
    }
  }

  async function write(name: string, column: FeatureColumn | undefined): Promise<FileEntry> {
    const metadata = new Map([['permafrost', JSON.stringify({ fingerprint: set.fingerprint, settings })]]);
    return { name, ...(await writeFileAtomic(join(store.path, name), encodeShard(rows, column, metadata))) };
  }

  async function sealShard(): Promise<void> {
    if (rows.length === 0 || buffers === undefined) return;
    const stem = shardStem(set, next());
    const files: { -readonly [K in keyof ShardEntry['files']]: ShardEntry['files'][K] } = {
      rows: await write(`${stem}-rows.arrow`, undefined),
    };
    for (const [pooling, buffer] of buffers) {
      const values = buffer.subarray(0, rows.length * width(pooling));
      files[pooling] = await write(`${stem}-${pooling}.arrow`, { width: width(pooling), values });
    }
    const { decoder = 1 } = options;
    const shard: FeatureSetDraft['shards'][number] = {
      rows: rows.length,
      ...(decoder > 1 && { decoder }),
      layout: 2,
      files,
    };
    await writeSeal(store.path, set, shard);
    set.shards.push(shard);
    unlisted++;
    try {
      if (isListingDue()) await list();
    } catch (error) {
      // The rows are kept, and the next seal writes them again under the same names.
      set.shards.pop();
      unlisted--;
      throw error;
    }
    rows = [];
  }

  return {
    async append(batch) {
      for (const [i, sample] of batch.rows.entries()) {
        if (rows.length === capacity) await sealShard(); // Full still: the seal before has failed.
        buffers ??= allocate();
        for (const pooling of poolings) {
          const { data, cols } = batch.features.get(pooling)!;
          put(buffers, pooling, sample.path, data.subarray(i * cols, (i + 1) * cols));
        }
        const { path, sha256, width: wide, height, orientation } = sample;
        rows.push({ id: idOf(sha256), path, sha256, width: wide, height, orientation });
        if (rows.length === capacity) await sealShard();
      }
    },
    endShard: sealShard,
    async seal() {
      await sealShard();
      if (unlisted > 0) await list();
    },
  };
}
