import type { Factor } from './gemm.ts';
import { gemm } from './gemm.ts';

/** In which precision the product of a large matrix and a few float64 columns is summed. */
export type Precision = 'float32' | 'float64';

/** A few columns V (·, k), row-major. */
export interface Columns {
  readonly V: Float64Array;
  readonly k: number;
}

/** Values of X in one run: 64 MiB where they are widened to float64. */
const BLOCK_VALUES = 2 ** 23;

/** X·V: X (n, p), V (p, k), k small. Shape (n, k), row-major. */
export async function timesThin(X: Factor, V: Float64Array, k: number, precision: Precision) {
  return (await timesColumns(X, [{ V, k }], precision))[0]!;
}

/** Xᵀ·R: X (n, p), R (n, k), k small. Shape (p, k), row-major. */
export async function transposedTimesThin(X: Factor, R: Float64Array, k: number, precision: Precision) {
  return (await transposedTimesColumns(X, [{ V: R, k }], precision))[0]!;
}

/** `timesThin` of each of the `parts`, for which X is read once. */
export async function timesColumns(
  X: Factor,
  parts: readonly Columns[],
  precision: Precision,
): Promise<Float64Array[]> {
  const k = widthOf(parts);
  const data = emptyOf(precision, X.cols * k);
  let from = 0;
  for (const { V, k: width } of parts) {
    for (let i = 0, at = 0; i < X.cols; i++) {
      for (let c = 0; c < width; c++) data[i * k + from + c] = V[at++]!;
    }
    from += width;
  }
  const out = parts.map((part) => new Float64Array(X.rows * part.k));
  for (const { start, block } of rowBlocks(X)) {
    const product = (await gemm('neither', block, { data, rows: X.cols, cols: k })).data;
    from = 0;
    parts.forEach(({ k: width }, p) => {
      const part = out[p]!;
      for (let i = 0, at = start * width; i < block.rows; i++) {
        for (let c = 0; c < width; c++) part[at++] = product[i * k + from + c]!;
      }
      from += width;
    });
  }
  return out;
}

/** `transposedTimesThin` of each of the `parts`, for which X is read once. */
export async function transposedTimesColumns(
  X: Factor,
  parts: readonly Columns[],
  precision: Precision,
): Promise<Float64Array[]> {
  const k = widthOf(parts);
  const out = parts.map((part) => new Float64Array(X.cols * part.k));
  for (const { start, block } of rowBlocks(X)) {
    // (Rᵀ·X)ᵀ with Rᵀ laid out here: the runtime reads a transposed factor at half the speed.
    const data = emptyOf(precision, k * block.rows);
    let from = 0;
    for (const { V, k: width } of parts) {
      for (let c = 0; c < width; c++) {
        const line = (from + c) * block.rows;
        for (let i = 0, at = start * width + c; i < block.rows; i++, at += width) data[line + i] = V[at]!;
      }
      from += width;
    }
    const product = (await gemm('neither', { data, rows: k, cols: block.rows }, block)).data;
    from = 0;
    parts.forEach(({ k: width }, p) => {
      const part = out[p]!;
      for (let c = 0; c < width; c++) {
        const line = (from + c) * X.cols;
        for (let j = 0, at = c; j < X.cols; j++, at += width) part[at]! += product[line + j]!;
      }
      from += width;
    });
  }
  return out;
}

const widthOf = (parts: readonly Columns[]): number => parts.reduce((sum, { k }) => sum + k, 0);
const emptyOf = (precision: Precision, length: number): Float32Array | Float64Array =>
  precision === 'float32' ? new Float32Array(length) : new Float64Array(length);

function rowBlocks(X: Factor): { start: number; block: Factor }[] {
  const size = Math.max(1, Math.floor(BLOCK_VALUES / X.cols));
  return Array.from({ length: Math.ceil(X.rows / size) }, (_, i) => {
    const start = i * size;
    const rows = Math.min(size, X.rows - start);
    const data = X.data.subarray(start * X.cols, (start + rows) * X.cols);
    return { start, block: { data, rows, cols: X.cols } };
  });
}
