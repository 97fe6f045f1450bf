import { type Matrix, matrix, rowRange } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { gemm } from '../linalg/gemm.ts';
import { transposedTimesThin } from '../linalg/thin.ts';

/** Columns whose products are summed in float32 before they are added in float64. */
const BLOCK_COLUMNS = 2048;
/** Rows of one block: small enough to leave out nearly half of the work, large enough for full speed. */
const BLOCK_ROWS = 512;

/**
 * Float32 column means by the runtime's product, shape (d). A free intercept makes up for a shift of the columns: it
 * need not be exact, only the same everywhere.
 */
export async function quickMeans(X: Matrix): Promise<Float32Array> {
  const sampleWeights = new Float64Array(X.rows).fill(1 / X.rows);
  return new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
}

/** Bytes that `centredGram` takes besides its result. */
export const centringBytes = (rows: number): number => 4 * rows * (BLOCK_COLUMNS + BLOCK_ROWS);

/**
 * (X - mean)·(X - mean)ᵀ, shape (n, n), exactly symmetric. Columns are centred before the float32 products, so that a
 * large common part costs no digits; blocks of columns are added in float64. Throws INTERRUPTED.
 */
export async function centredGram(X: Matrix, mean: Float32Array, context?: FitContext): Promise<Float64Array> {
  const [n, d] = [X.rows, X.cols];
  const out = new Float64Array(n * n);
  // The same memory for every block: the system would clear new pages each time.
  const centred = new Float32Array(n * Math.min(d, BLOCK_COLUMNS));
  const products = new Float32Array(n * Math.min(n, BLOCK_ROWS));
  for (let from = 0; from < d; from += BLOCK_COLUMNS) {
    const width = Math.min(BLOCK_COLUMNS, d - from);
    const Z = matrix(n, width, centred.subarray(0, n * width));
    centre(X, mean, from, Z);
    for (let start = 0; start < n; start += BLOCK_ROWS) {
      checkAborted(context);
      const end = Math.min(n, start + BLOCK_ROWS);
      const own = products.subarray(0, (end - start) * end);
      await gemm('right', rowRange(Z, start, end), rowRange(Z, 0, end), own);
      for (let i = start; i < end; i++) addLine(out, i * n, own, (i - start) * end, i + 1);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

/** Columns `from` ... of X less their mean, into Z. */
function centre(X: Matrix, mean: Float32Array, from: number, { data, rows, cols }: Matrix): void {
  const means = mean.subarray(from, from + cols);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0, read = i * X.cols + from; j < cols; j++) data[at++] = X.data[read++]! - means[j]!;
  }
}

function addLine(out: Float64Array, to: number, products: Float32Array, from: number, count: number): void {
  for (let j = 0; j < count; j++) out[to + j]! += products[from + j]!;
}
