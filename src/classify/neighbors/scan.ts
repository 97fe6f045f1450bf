import type { Matrix } from '../../core/matrix.ts';

/**
 * For each query of a block the rows of one part with the largest scores, which grow as distances fall. Other rows have
 * no larger score than the last kept.
 */
export interface RowRange {
  /** Rows kept for each query. */
  readonly k: number;
  /** (queries * k) scores, largest first. */
  readonly values: Float32Array;
  /** (queries * k) row numbers, counted from `first`. */
  readonly indices: Int32Array;
  readonly first: number;
  /** Whether all rows of the part are kept. */
  readonly whole: boolean;
}

/** What a scan found for a block of queries. */
export interface Scanned {
  readonly parts: readonly RowRange[];
  /**
   * The least distance, as by `distance`, of a row whose score for query i is `value` or smaller, with all that was
   * rounded; 0 or less where nothing can be said.
   */
  readonly leastDistance: (i: number, value: number) => number;
}

/** Scores of all rows, fast and not exact, with a bound on how far they may be off. */
export interface Scan {
  /** How many queries one run should have, for products that stay in the processor's cache. */
  readonly block: number;
  /** `lengths` are the queries'. About `k` and some more rows are kept. */
  run(queries: Matrix, lengths: Float64Array, k: number): Promise<Scanned>;
}

/** Half the distance from 1 to the next float32: how far a rounding may be off, relatively. */
export const FLOAT32_ROUNDING = 2 ** -24;
