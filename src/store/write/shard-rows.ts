import { POOLINGS, widthOf, type Pooling, type PoolingWidths } from '../../core/sample.ts';
import type { FeatureSettings } from '../format/fingerprint.ts';

export const DEFAULT_SHARD_BYTES = 64 * 2 ** 20;
export const MAX_SHARD_BYTES = 256 * 2 ** 20;

/** Rows of a shard without maps at most: 64 MiB of maps are 1,337 images, so a kill loses minutes here too. */
const POOLED_ROWS = 2048;

/** What decides how many rows a shard holds: numbers a row, their type, and the poolings that are written. */
export interface ShardShape {
  readonly settings: Pick<FeatureSettings, 'dtype'>;
  readonly widths: PoolingWidths;
  readonly poolings: readonly Pooling[];
}

/** Whether a pooling is stored as float16: maps are, unless the set is of float32. */
export const isHalf = ({ settings }: Pick<ShardShape, 'settings'>, pooling: Pooling): boolean =>
  pooling === 'flatten' && settings.dtype === 'float16';

/** Rows at which a shard is full: its largest file has `shardBytes` then (default 64 MiB, at most 256 MiB). */
export function mostRows(shape: ShardShape, shardBytes = DEFAULT_SHARD_BYTES): number {
  const poolings = POOLINGS.filter((pooling) => shape.poolings.includes(pooling));
  const rowBytes = poolings.map((pooling) => widthOf(shape.widths, pooling) * (isHalf(shape, pooling) ? 2 : 4));
  const full = Math.max(1, Math.floor(Math.min(shardBytes, MAX_SHARD_BYTES) / Math.max(...rowBytes)));
  return poolings.includes('flatten') ? full : Math.min(POOLED_ROWS, full);
}

/**
 * Images of a unit of the listing where several sets are written in one pass: so many consecutive ones that no set
 * needs more than one shard for them. Sets of which no pooling is wanted do not count.
 */
export function unitRows(sets: readonly ShardShape[], shardBytes?: number): number {
  return Math.min(...sets.filter(({ poolings }) => poolings.length > 0).map((set) => mostRows(set, shardBytes)));
}
