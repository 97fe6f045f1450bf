import { POOLINGS, widthOf } from '../../core/sample.ts';
import type { PlannedSet } from './plan-file.ts';

/** Rows of a shard without maps at most. */
const POOLED_ROWS = 2048;

/** Images that fill a shard: of the wanted sets the one that is filled first counts. */
export function unitSizeFor(
  sets: readonly Pick<PlannedSet, 'settings' | 'widths' | 'poolings'>[],
  shardBytes: number,
): number {
  return Math.max(
    1,
    Math.min(
      ...sets.map(({ settings, widths, poolings }) => {
        const bytesOf = (pooling: (typeof POOLINGS)[number]): number =>
          widthOf(widths, pooling) * (pooling === 'flatten' && settings.dtype === 'float16' ? 2 : 4);
        const rows = Math.floor(shardBytes / Math.max(...poolings.map(bytesOf)));
        return poolings.includes('flatten') ? rows : Math.min(POOLED_ROWS, rows);
      }),
    ),
  );
}
