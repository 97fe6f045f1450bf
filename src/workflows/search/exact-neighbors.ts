import type { NeighborResult } from '../../results/answer-results.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { FeaturePart, Split } from '../../core/sample.ts';
import type { Metric, NeighborIndex } from '../../classify/neighbors/neighbor-index.ts';
import { exactIndex } from '../../classify/neighbors/exact.ts';
import { balanced, balancedRows } from '../../classify/normalize.ts';
import type { Store } from '../../store/open.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import { checkStreamBound } from '../memory.ts';
import { watched } from '../train/watched-rows.ts';
import type { Work } from '../work.ts';

/** Which stored rows are searched, and within how much memory. */
export interface SearchPlan {
  /** The command, for messages. */
  readonly owner: string;
  readonly store: Store;
  /** What stands side by side in the features. */
  readonly parts: readonly (FeaturePart & { readonly width: number })[];
  readonly splits: readonly Split[];
  readonly metric: Metric;
  /** Bytes that the process may take, and those taken next to the search's. */
  readonly bound: number;
  readonly otherBytes: number;
}

/** The k nearest stored images of each row of X, nearest first. */
export type Search = (X: Matrix, k: number) => Promise<NeighborResult[][]>;

/** As `index` over rows finds them, a list for each query. */
export async function nearest(
  rows: StoredRows,
  index: NeighborIndex,
  X: Matrix,
  k: number,
): Promise<NeighborResult[][]> {
  const { k: found, indices, distances } = await index.search(X, k);
  const samples = await rows.samplesOf(indices);
  return Array.from({ length: X.rows }, (_, q) =>
    Array.from({ length: found }, (_unused, j) => {
      const at = q * found + j;
      const { id, path, label, split } = samples.get(indices[at]!)!;
      return { id, path, label, split, distance: distances[at]! };
    }),
  );
}

/** The k nearest of several lists for each query. */
export function merged(lists: readonly NeighborResult[][][], queries: number, k: number): NeighborResult[][] {
  return Array.from({ length: queries }, (_, q) =>
    lists
      .flatMap((list) => list[q] ?? [])
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k),
  );
}

/**
 * Exact search over stored rows, read from the disk a shard at a time: as fast as loading them, in a shard's memory.
 * The bound is checked now, before anything is searched. Throws OPTION_INVALID, STORE_EMPTY, STORE_CORRUPT,
 * INTERRUPTED.
 */
export async function exactNeighbors(plan: SearchPlan, work: Work): Promise<Search> {
  const { owner, store, parts, splits, metric, bound, otherBytes } = plan;
  const widths = parts.map(({ width }) => width);
  const stream = await store.rows({ parts, splits, memory: 'blocks' });
  checkStreamBound(owner, bound, stream.peakBytes + otherBytes);
  const [rows] = watched([stream], () => 'searching', work);
  const index = exactIndex(balancedRows(rows!, widths), metric, { numbers: stream.places });
  return (X, k) => nearest(stream, index, balanced(X, widths), k);
}
