import { type Factor, gemm } from './gemm.ts';

/** In which precision the product of a large matrix and a few float64 columns is summed. */
export type FloatType = 'float32' | 'float64';

/** A few columns V (·, k), row-major. */
export interface Columns {
  readonly V: Float64Array;
  readonly k: number;
}

/** Values of X in one run: where they are widened to float64 so few that the cache holds them. */
const BLOCK_VALUES = 2 ** 23;
const WIDENED_VALUES = 2 ** 19;

/** X·V: X (n, p), V (p, k), k small. Shape (n, k), row-major. */
export async function timesThin(X: Factor, V: Float64Array, k: number, precision: FloatType) {
  return (await timesColumns(X, [{ V, k }], precision))[0]!;
}

/** Xᵀ·R: X (n, p), R (n, k), k small. Shape (p, k), row-major. */
export async function transposedTimesThin(X: Factor, R: Float64Array, k: number, precision: FloatType) {
  return (await transposedTimesColumns(X, [{ V: R, k }], precision))[0]!;
}

/** `timesThin` of each of the `parts`, for which X is read once. */
export async function timesColumns(
  X: Factor,
  parts: readonly Columns[],
  precision: FloatType,
): Promise<Float64Array[]> {
  const { k, starts } = sideBySide(parts);
  const data = emptyOf(precision, X.cols * k);
  parts.forEach(({ V, k: width }, p) => placeColumns(V, width, data, k, starts[p]!));
  const out = parts.map((part) => new Float64Array(X.rows * part.k));
  for (const { start, block } of rowBlocks(X, valuesOf(X, precision))) {
    const product = (await gemm('neither', block, { data, rows: X.cols, cols: k })).data;
    parts.forEach(({ k: width }, p) => {
      gather(product, k, starts[p]!, out[p]!.subarray(start * width, (start + block.rows) * width), width);
    });
  }
  return out;
}

/** `transposedTimesThin` of each of the `parts`, for which X is read once. */
export async function transposedTimesColumns(
  X: Factor,
  parts: readonly Columns[],
  precision: FloatType,
): Promise<Float64Array[]> {
  const { k, starts } = sideBySide(parts);
  const out = parts.map((part) => new Float64Array(X.cols * part.k));
  for (const { start, block } of rowBlocks(X, valuesOf(X, precision))) {
    // (Rᵀ·X)ᵀ with Rᵀ laid out here: the runtime reads a transposed factor at half the speed.
    const data = emptyOf(precision, k * block.rows);
    parts.forEach(({ V, k: width }, p) => {
      const lines = data.subarray(starts[p]! * block.rows, (starts[p]! + width) * block.rows);
      transposeInto(V.subarray(start * width, (start + block.rows) * width), width, lines);
    });
    const product = (await gemm('neither', { data, rows: k, cols: block.rows }, block)).data;
    parts.forEach(({ k: width }, p) => addTransposed(product, starts[p]!, X.cols, out[p]!, width));
  }
  return out;
}

// Each loop is a function of its own, without captured variables: several times faster so.

/** V (·, width) into columns `from` ... of data (·, k). */
export function placeColumns(
  V: Float64Array,
  width: number,
  data: Float32Array | Float64Array,
  k: number,
  from: number,
) {
  for (let read = 0, line = from; read < V.length; line += k) {
    for (let c = 0; c < width; c++) data[line + c] = V[read++]!;
  }
}

/** Columns `from` ... of data (·, k) into out (·, width). */
function gather(data: Float32Array | Float64Array, k: number, from: number, out: Float64Array, width: number) {
  for (let write = 0, line = from; write < out.length; line += k) {
    for (let c = 0; c < width; c++) out[write++] = data[line + c]!;
  }
}

/** V (n, width) transposed into out (width, n). */
function transposeInto(V: Float64Array, width: number, out: Float32Array | Float64Array) {
  const n = V.length / width;
  for (let c = 0; c < width; c++) {
    for (let i = 0, read = c, write = c * n; i < n; i++, read += width) out[write++] = V[read]!;
  }
}

/** Adds lines `from` ... of data (·, cols) to out (cols, width), transposed. */
export function addTransposed(
  data: Float32Array | Float64Array,
  from: number,
  cols: number,
  out: Float64Array,
  width: number,
) {
  for (let c = 0; c < width; c++) {
    for (let j = 0, read = (from + c) * cols, write = c; j < cols; j++, write += width) out[write]! += data[read++]!;
  }
}

/** The width of all parts side by side, and the first column of each. */
function sideBySide(parts: readonly Columns[]): { readonly k: number; readonly starts: readonly number[] } {
  let k = 0;
  const starts = parts.map((part) => (k += part.k) - part.k);
  return { k, starts };
}

const emptyOf = (precision: FloatType, length: number): Float32Array | Float64Array =>
  precision === 'float32' ? new Float32Array(length) : new Float64Array(length);

const valuesOf = ({ data }: Factor, precision: FloatType): number =>
  precision === 'float64' && data instanceof Float32Array ? WIDENED_VALUES : BLOCK_VALUES;

/** X in blocks of whole rows, of about `values` values. */
export function rowBlocks(X: Factor, values: number): { start: number; block: Factor }[] {
  const size = Math.max(1, Math.floor(values / X.cols));
  return Array.from({ length: Math.ceil(X.rows / size) }, (_, i) => {
    const start = i * size;
    const rows = Math.min(size, X.rows - start);
    const data = X.data.subarray(start * X.cols, (start + rows) * X.cols);
    return { start, block: { data, rows, cols: X.cols } };
  });
}
