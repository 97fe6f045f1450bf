import { type Matrix, matrix, row, selectRows } from '../../core/matrix.ts';
import { type Random, random } from '../../core/random.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { exactIndex } from '../neighbors/exact.ts';
import { rowStatistics } from '../solvers/row-statistics.ts';
import type { Centre } from './kernel-graphs.ts';

/** Rows of the sample for each landmark, and the bytes of it at most. */
const ROWS_EACH = 10;
const MOST_BYTES = 2 ** 28;
/** Rounds of k-means: most of what it gains comes in the first few. */
const ROUNDS = 5;

/** Rows that stand for all. */
export interface Landmarks {
  /** Shape (m, d). */
  readonly Z: Matrix;
  /** The sample that they are means of, shape (s, d). */
  readonly sample: Matrix;
  /** The mean of all rows, shape (d). */
  readonly centre: Centre;
}

/** Rows of the sample that `count` landmarks of (rows, cols) are found in. */
function sampleRows(count: number, { rows, cols }: RowsShape): number {
  const room = Math.floor(MOST_BYTES / (4 * cols));
  return Math.min(rows, Math.max(count, Math.min(room, ROWS_EACH * count)));
}

/** Bytes of the landmarks and their sample. */
export const landmarkBytes = (count: number, shape: RowsShape): number =>
  4 * shape.cols * (2 * count + sampleRows(count, shape));

/**
 * `count` means of rows that lie near each other, by k-means on a sample of the rows, drawn by the seed, in one pass
 * (Zhang, Tsang and Kwok 2008, "Improved Nyström low-rank approximation and error analysis"). Throws FIT_INVALID for
 * NaN or infinities, INTERRUPTED, and what reading throws.
 */
export async function landmarksOf(rows: Rows, count: number, seed: number, context?: FitContext): Promise<Landmarks> {
  const source = random(seed);
  const drawn = source.shuffle(Int32Array.from({ length: rows.rows }, (_, i) => i));
  const { mean, sample } = await rowStatistics(rows, drawn.slice(0, sampleRows(count, rows)).sort(), context);
  const Z = await clusterMeans(sample, Math.min(count, sample.rows), source, context);
  return { Z, sample, centre: new Float32Array(mean) };
}

/** Lloyd's k-means from rows drawn at random; a cluster that loses all its rows stays where it is. */
async function clusterMeans(X: Matrix, count: number, source: Random, context?: FitContext): Promise<Matrix> {
  const order = source.shuffle(Int32Array.from({ length: X.rows }, (_, i) => i));
  let means = selectRows(X, order.slice(0, count).sort());
  for (let round = 0; round < ROUNDS && count < X.rows; round++) {
    checkAborted(context);
    const { indices } = await exactIndex(matrixRows(means), 'euclidean', { scan: 'float32' }).search(X, 1);
    means = meansOf(X, indices, means);
  }
  return means;
}

function meansOf(X: Matrix, clusters: Int32Array, before: Matrix): Matrix {
  const d = X.cols;
  const sums = new Float64Array(before.rows * d);
  const counts = new Int32Array(before.rows);
  for (let i = 0; i < X.rows; i++) {
    const line = row(X, i);
    const from = clusters[i]! * d;
    counts[clusters[i]!]!++;
    for (let j = 0; j < d; j++) sums[from + j]! += line[j]!;
  }
  const out = matrix(before.rows, d, before.data.slice());
  for (let c = 0; c < before.rows; c++) {
    if (counts[c] === 0) continue;
    for (let j = c * d; j < (c + 1) * d; j++) out.data[j] = sums[j]! / counts[c]!;
  }
  return out;
}
