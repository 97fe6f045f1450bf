import { type Factor, gemm } from './gemm.ts';
import { timesThin, transposedTimesThin } from './thin.ts';

/** A square matrix, row-major float64. */
export interface Square {
  readonly data: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** Below this size plain loops beat the runtime's product. */
const SMALL = 48;

/**
 * The inverse of the lower Cholesky factor L, A = L·Lᵀ, float64, zeros above the diagonal; undefined when A is not
 * positive definite. By halves, so that the runtime's product does the work (Gustavson 1997). A is not changed.
 */
export async function inverseCholesky(A: Square): Promise<Square | undefined> {
  const n = A.rows;
  if (n <= SMALL) return plainInverse(A);
  const half = n >> 1;
  const L1 = await inverseCholesky(part(A, 0, half, 0, half));
  if (L1 === undefined) return undefined;
  // L21 = A21·L11⁻ᵀ, and what is left for the second half is A22 - L21·L21ᵀ.
  const L21 = await product('right', part(A, half, n, 0, half), L1);
  const rest = part(A, half, n, half, n);
  const taken = await product('right', L21, L21);
  for (let i = 0; i < rest.data.length; i++) rest.data[i]! -= taken.data[i]!;
  const L2 = await inverseCholesky(rest);
  if (L2 === undefined) return undefined;
  const corner = await product('neither', await product('neither', L2, L21), L1);
  const out = new Float64Array(n * n);
  for (let i = 0; i < half; i++) out.set(L1.data.subarray(i * half, (i + 1) * half), i * n);
  for (let i = 0; i < n - half; i++) {
    const at = (half + i) * n;
    for (let j = 0; j < half; j++) out[at + j] = -corner.data[i * half + j]!;
    out.set(L2.data.subarray(i * (n - half), (i + 1) * (n - half)), at + half);
  }
  return { data: out, rows: n, cols: n };
}

/** A⁻¹·B = L⁻ᵀ·(L⁻¹·B) by the inverse L⁻¹, B (n, k). */
export async function solveBy(inverse: Square, B: Float64Array, k: number): Promise<Float64Array> {
  const half = await timesThin(inverse, B, k, 'float64');
  return transposedTimesThin(inverse, half, k, 'float64');
}

/** A product of float64 matrices that is a matrix of float64 again. */
export async function product(transposed: 'left' | 'right' | 'neither', X: Factor, Y: Factor): Promise<Square> {
  const { data, rows, cols } = await gemm(transposed, X, Y);
  return { data: data as Float64Array, rows, cols };
}

function part(A: Square, top: number, bottom: number, left: number, right: number): Square {
  const [rows, cols] = [bottom - top, right - left];
  const data = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    const at = (top + i) * A.cols;
    data.set(A.data.subarray(at + left, at + right), i * cols);
  }
  return { data, rows, cols };
}

function plainInverse({ data, rows: n }: Square): Square | undefined {
  const L = data.slice();
  const out = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = L[i * n + j]!;
      for (let p = 0; p < j; p++) sum -= L[i * n + p]! * L[j * n + p]!;
      if (i > j) L[i * n + j] = sum / L[j * n + j]!;
      else if (sum > 0) L[j * n + j] = Math.sqrt(sum);
      else return undefined;
    }
  }
  for (let j = 0; j < n; j++) {
    out[j * n + j] = 1 / L[j * n + j]!;
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let p = j; p < i; p++) sum -= L[i * n + p]! * out[p * n + j]!;
      out[i * n + j] = sum / L[i * n + i]!;
    }
  }
  return { data: out, rows: n, cols: n };
}
