import { type Matrix, matrix } from '../../core/matrix.ts';
import { type Transposed, gemm } from './gemm.ts';

async function product(transposed: Transposed, X: Matrix, Y: Matrix): Promise<Matrix> {
  const { data, rows, cols } = await gemm(transposed, X, Y);
  return matrix(rows, cols, data as Float32Array<ArrayBuffer>);
}

/** X·Y: (n, p) times (p, m) is (n, m). Callers keep n·m below 2^29, the values of 2^31 bytes. Throws FIT_INVALID. */
export const times = (X: Matrix, Y: Matrix): Promise<Matrix> => product('neither', X, Y);

/** X·Yᵀ: (n, p) times the transpose of (m, p) is (n, m). As `times`. */
export const timesTransposed = (X: Matrix, Y: Matrix): Promise<Matrix> => product('right', X, Y);

/** Xᵀ·Y: the transpose of (p, n) times (p, m) is (n, m). As `times`. */
export const transposedTimes = (X: Matrix, Y: Matrix): Promise<Matrix> => product('left', X, Y);
