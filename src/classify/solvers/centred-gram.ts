import { type Matrix, row, rowRange } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import { centreColumns } from '../linalg/centre-columns.ts';
import type { FitContext } from '../head.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { timesTransposed } from '../linalg/times.ts';

/** Columns whose products are summed in float32 before they are added in float64. */
const BLOCK_COLUMNS = 2048;
/** Rows of one block: small enough to leave out nearly half of the work, large enough for full speed. */
const MOST_BLOCK_ROWS = 512;

/**
 * Float32 column means by the runtime's product, shape (d). A free intercept makes up for a shift of the columns: it
 * need not be exact, only the same everywhere.
 */
export async function quickMeans(X: Matrix): Promise<Float32Array> {
  const sampleWeights = new Float64Array(X.rows).fill(1 / X.rows);
  return new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
}

/**
 * (X - mean)·(X - mean)ᵀ, shape (n, n), exactly symmetric. Columns are centred before the float32 products, so that a
 * large common part costs no digits; blocks of columns are added in float64. Throws INTERRUPTED.
 */
export async function centredGram(X: Matrix, mean: Float32Array, context?: FitContext): Promise<Float64Array> {
  const n = X.rows;
  const out = new Float64Array(n * n);
  const step = Math.min(MOST_BLOCK_ROWS, Math.ceil(n / 4));
  for (let from = 0; from < X.cols; from += BLOCK_COLUMNS) {
    checkAborted(context);
    const centred = await centreColumns(X, mean, from, Math.min(X.cols, from + BLOCK_COLUMNS));
    for (let start = 0; start < n; start += step) {
      const end = Math.min(n, start + step);
      const block = await timesTransposed(rowRange(centred, start, end), rowRange(centred, 0, end));
      for (let i = start; i < end; i++) addLine(out, i * n, row(block, i - start), i + 1);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

function addLine(out: Float64Array, at: number, line: Float32Array, count: number): void {
  for (let j = 0; j < count; j++) out[at + j]! += line[j]!;
}
