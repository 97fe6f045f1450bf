import { type Matrix, matrix, rowRange } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { inverseCholesky, type Square } from './inverse-cholesky.ts';
import { timesThin, transposedTimesThin } from './thin.ts';
import { times, transposedTimes } from './times.ts';
import { addScaled } from './vectors.ts';

/** Rows that are factorised at once. */
const BLOCK = 256;

/** Lines of L, transposed: what is left of their triangle on the diagonal, shape (start, lines), and its inverse. */
interface Panel {
  readonly start: number;
  readonly left: Matrix;
  readonly inverse: Square;
}

/** About (A + shift)⁻¹, by a float32 Cholesky factor. */
export interface QuickInverse {
  /** (A + shift)⁻¹·B, B (n, k). */
  apply(B: Float64Array, k: number): Promise<Float64Array>;
}

/**
 * The float32 Cholesky factor of A + shift, A (n, n) symmetric, block after block of its rows (Golub and Van Loan 2013,
 * 4.2.6): n³ / 6 multiplications by the runtime's product, and half of A's memory. Undefined where A + shift is not
 * positive to float32 rounding. Throws INTERRUPTED.
 */
export async function quickCholesky(A: Matrix, shift: number, context?: FitContext): Promise<QuickInverse | undefined> {
  const n = A.rows;
  const panels: Panel[] = [];
  for (let start = 0; start < n; start += BLOCK) {
    const width = Math.min(BLOCK, n - start);
    // Lines are found from the left: line after line of `left`, each block needs those above it.
    const left = matrix(start, width);
    for (const panel of panels) {
      checkAborted(context);
      const rest = await blockLess(A, panel, start, left);
      const inverse = matrix(rest.rows, rest.rows, new Float32Array(panel.inverse.data));
      left.data.set((await times(inverse, rest)).data, panel.start * width);
    }
    const { data } = await blockLess(A, { start, left }, start, left);
    for (let j = 0; j < width; j++) data[j * width + j]! += shift;
    const inverse = await inverseCholesky({ data: new Float64Array(data), rows: width, cols: width });
    if (inverse === undefined) return undefined;
    panels.push({ start, left, inverse });
  }
  return { apply: (B, k) => solve(panels, B, k) };
}

/** The lines of a panel in the columns of another one, which begin at `start`: those of A less L·Lᵀ so far. */
async function blockLess(
  A: Matrix,
  { start: from, left: own }: Pick<Panel, 'start' | 'left'>,
  start: number,
  left: Matrix,
): Promise<Matrix> {
  const block = matrix(own.cols, left.cols);
  for (let i = 0, at = from * A.cols + start; i < block.rows; i++, at += A.cols)
    block.data.set(A.data.subarray(at, at + block.cols), i * block.cols);
  if (from === 0) return block;
  const taken = await transposedTimes(own, rowRange(left, 0, from));
  for (let at = 0; at < block.data.length; at++) block.data[at]! -= taken.data[at]!;
  return block;
}

/** L⁻ᵀ·(L⁻¹·B), panel after panel and back. */
async function solve(panels: readonly Panel[], B: Float64Array, k: number): Promise<Float64Array> {
  const X = B.slice();
  for (const { start, left, inverse } of panels) {
    const [above, own] = [X.subarray(0, start * k), X.subarray(start * k, (start + left.cols) * k)];
    if (start > 0) addScaled(own, -1, await transposedTimesThin(left, above, k, 'float32'));
    own.set(await timesThin(inverse, own, k, 'float64'));
  }
  for (const { start, left, inverse } of [...panels].reverse()) {
    const [above, own] = [X.subarray(0, start * k), X.subarray(start * k, (start + left.cols) * k)];
    own.set(await transposedTimesThin(inverse, own, k, 'float64'));
    if (start > 0) addScaled(above, -1, await timesThin(left, own, k, 'float32'));
  }
  return X;
}
