import { PermafrostError } from './errors.ts';

/** Row-major float32 matrix of shape (rows, cols): element (i, j) is data[i * cols + j]. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}

/** A matrix over `data` (not copied), or of zeros. Throws FIT_INVALID when the length is not rows * cols. */
export function matrix(rows: number, cols: number, data = new Float32Array(rows * cols)): Matrix {
  if (data.length !== rows * cols) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A ${rows} x ${cols} matrix needs ${rows * cols} values, got ${data.length}.`,
    );
  }
  return { data, rows, cols };
}

/** Row i as a view of the matrix' own memory, shape (cols). */
export function row(m: Matrix, i: number): Float32Array {
  return m.data.subarray(i * m.cols, (i + 1) * m.cols);
}

/** Where the largest value of a row stands, the first of equals; 0 for a row of none. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}

/** The rows named by `indices`, copied in that order, shape (indices.length, cols). */
export function selectRows(m: Matrix, indices: ArrayLike<number>): Matrix {
  const out = matrix(indices.length, m.cols);
  for (let i = 0; i < indices.length; i++) out.data.set(row(m, indices[i]!), i * m.cols);
  return out;
}

/** Rows [from, to) of m as a view of its memory, shape (to - from, cols). */
export function rowRange(m: Matrix, from: number, to: number): Matrix {
  return { data: m.data.subarray(from * m.cols, to * m.cols), rows: to - from, cols: m.cols };
}

/** Matrices of one width below each other, a new matrix of shape (all their rows, cols). */
export function stacked(parts: readonly Matrix[]): Matrix {
  const out = matrix(
    parts.reduce((rows, part) => rows + part.rows, 0),
    parts[0]!.cols,
  );
  let at = 0;
  for (const { data } of parts) {
    out.data.set(data, at);
    at += data.length;
  }
  return out;
}

/** Cosine of the angle between two vectors of one length, summed in float64; 1 where both are zero, 0 where one is. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  if (aa === 0 && bb === 0) return 1;
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}
