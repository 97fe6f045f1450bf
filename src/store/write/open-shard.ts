import { PermafrostError } from '../../core/errors.ts';
import { POOLINGS, widthOf, type FeatureBatch, type Pooling } from '../../core/sample.ts';
import type { FeatureColumn } from '../format/arrow-file.ts';
import { encodeFloat16, FLOAT16_MAX } from '../format/float16.ts';
import type { FeatureSet } from '../format/manifest.ts';
import { idOf, type ContentRow } from '../format/shard.ts';
import type { UnsealedRows } from '../format/unsealed-file.ts';
import { isHalf } from './shard-rows.ts';

/** The rows of the shard that a writer has open, with their features as they are stored. */
export interface OpenShard {
  /** The poolings that it holds. */
  readonly poolings: readonly Pooling[];
  readonly rows: readonly ContentRow[];
  readonly isFull: boolean;
  /** Adds row i of a batch. Throws FEATURE_OVERFLOW, and adds nothing then. */
  add(batch: FeatureBatch, i: number): void;
  /** Adds rows that were kept of it before. */
  takeUp(kept: UnsealedRows): void;
  /** Its features from a row on: a view of what is held, good until the next row is added after `clear`. */
  column(pooling: Pooling, from?: number): FeatureColumn;
  /** Forgets its rows. */
  clear(): void;
}

/** A shard without rows, of `capacity` rows at most. Its memory is taken with the first row. */
export function openShard(set: FeatureSet, wanted: readonly Pooling[], capacity: number): OpenShard {
  const poolings = POOLINGS.filter((pooling) => wanted.includes(pooling));
  const width = (pooling: Pooling): number => widthOf(set.widths, pooling);
  let rows: ContentRow[] = [];
  let buffers: ReadonlyMap<Pooling, Uint16Array | Float32Array> | undefined;

  const allocated = (): ReadonlyMap<Pooling, Uint16Array | Float32Array> =>
    (buffers ??= new Map(
      poolings.map((pooling) => {
        const length = capacity * width(pooling);
        return [pooling, isHalf(set, pooling) ? new Uint16Array(length) : new Float32Array(length)] as const;
      }),
    ));

  function put(pooling: Pooling, path: string, values: Float32Array): void {
    const target = allocated().get(pooling)!;
    const offset = rows.length * width(pooling);
    if (target instanceof Float32Array) {
      target.set(values, offset);
    } else if (encodeFloat16(values, target, offset) > 0) {
      throw new PermafrostError(
        'FEATURE_OVERFLOW',
        `Features of ${path} at ${set.settings.cut} exceed ${FLOAT16_MAX}, the largest float16. Extract with --dtype float32.`,
      );
    }
  }

  return {
    poolings,
    get rows() {
      return rows;
    },
    get isFull() {
      return rows.length >= capacity;
    },
    add(batch, i) {
      const { path, sha256, width: wide, height, orientation } = batch.rows[i]!;
      for (const pooling of poolings) {
        const { data, cols } = batch.features.get(pooling)!;
        put(pooling, path, data.subarray(i * cols, (i + 1) * cols));
      }
      rows.push({ id: idOf(sha256), path, sha256, width: wide, height, orientation });
    },
    takeUp(kept) {
      for (const pooling of poolings)
        allocated()
          .get(pooling)!
          .set(kept.values.get(pooling)!, rows.length * width(pooling));
      rows.push(...kept.rows);
    },
    column(pooling, from = 0) {
      const wide = width(pooling);
      return {
        width: wide,
        values: allocated()
          .get(pooling)!
          .subarray(from * wide, rows.length * wide),
      };
    },
    clear() {
      rows = [];
    },
  };
}
