import { type Matrix, row, rowRange } from '../../core/matrix.ts';
import { joinedBlocks, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { rowStatistics } from '../solvers/row-statistics.ts';
import { type Centre, crossDistances } from './kernel-graphs.ts';

/** Squared Euclidean distances between n rows: one matrix for every gamma, penalty and fold. */
export interface SquaredDistances {
  readonly n: number;
  /** Shape (n, n), float32, exactly symmetric, zeros on the diagonal. */
  readonly values: Float32Array;
  /** The mean of the rows (d), by which they were centred. */
  readonly centre: Centre;
}

/** Bytes of the distances of so many rows. */
export const distanceBytes = (rows: number): number => 4 * rows ** 2;

/** Rows of one part in memory: small enough to leave out nearly half of the work, large enough for full speed. */
const PART_ROWS = 512;

/** The rows in parts that are valid one at a time. */
interface Parts {
  readonly starts: readonly number[];
  readonly read: (part: number) => Promise<Matrix>;
}

function partsOf(rows: Rows): Parts {
  const X = rows.matrix;
  if (X === undefined) {
    const joined = joinedBlocks(rows);
    return { starts: joined.starts, read: (p) => joined.read(p) };
  }
  const starts = Array.from({ length: Math.ceil(X.rows / PART_ROWS) }, (_, p) => p * PART_ROWS);
  return {
    starts: [...starts, X.rows],
    read: (p) => Promise.resolve(rowRange(X, starts[p]!, starts[p + 1] ?? X.rows)),
  };
}

/**
 * The distances between all rows (n, d). Rows in blocks are read once for the mean, then each block against those
 * before it. Throws FIT_INVALID for NaN or infinities, INTERRUPTED, and what reading throws.
 */
export async function squaredDistances(rows: Rows, context?: FitContext): Promise<SquaredDistances> {
  const n = rows.rows;
  const { mean } = await rowStatistics(rows, new Int32Array(0), context);
  const centre = new Float32Array(mean);
  const { starts, read } = partsOf(rows);
  const values = new Float32Array(n * n);
  for (let p = 0; p + 1 < starts.length; p++) {
    const own = await read(p);
    // Reading another block takes its place.
    const X = rows.matrix === undefined ? { ...own, data: own.data.slice() } : own;
    for (let q = 0; q <= p; q++) {
      checkAborted(context);
      const D = await crossDistances(X, q === p ? X : await read(q), centre);
      for (let i = 0; i < D.rows; i++) values.set(row(D, i), (starts[p]! + i) * n + starts[q]!);
    }
  }
  mirror(values, n);
  return { n, values, centre };
}

/** Rows and columns of one square of the mirror, which the cache holds. */
const TILE = 64;

/** The lower triangle onto the upper one, zeros between them. */
function mirror(values: Float32Array, n: number): void {
  for (let top = 0; top < n; top += TILE) {
    for (let left = 0; left <= top; left += TILE) mirrorTile(values, n, top, left);
  }
  for (let i = 0; i < n; i++) values[i * n + i] = 0;
}

function mirrorTile(values: Float32Array, n: number, top: number, left: number): void {
  const bottom = Math.min(n, top + TILE);
  for (let i = top; i < bottom; i++) {
    const right = Math.min(i, left + TILE);
    for (let j = left; j < right; j++) values[j * n + i] = values[i * n + j]!;
  }
}

/** The distances between some of the rows, a new matrix; of all rows in their order the same one. */
export function distancesOf(distances: SquaredDistances, rows: readonly number[]): SquaredDistances {
  const { n, values, centre } = distances;
  if (rows.length === n && rows.every((row, i) => row === i)) return distances;
  const some = new Float32Array(rows.length ** 2);
  let at = 0;
  for (const i of rows) {
    const line = values.subarray(i * n, (i + 1) * n);
    for (const j of rows) some[at++] = line[j]!;
  }
  return { n: rows.length, values: some, centre };
}
