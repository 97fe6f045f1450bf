import { type Matrix, row } from '../../core/matrix.ts';
import type { Factor } from '../linalg/gemm.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { product, type Square } from '../linalg/inverse-cholesky.ts';
import { addScaled } from '../linalg/vectors.ts';

/**
 * The rows with a second derivative: B, their rows less the weighted mean, times the roots of the second derivatives.
 * With the intercept eliminated the Hessian of the weights is BᵀB. Weights are coefficients of a design. All float64.
 */
export interface ActiveRows {
  /** Rows of B. */
  readonly count: number;
  /** Coefficients of the weighted mean of the centred rows. */
  readonly mean: Float64Array;
  /** B·Bᵀ, a new matrix. */
  gram(): Promise<Square>;
  /** Bᵀ·B, a new matrix, where coefficients are the weights themselves. */
  square?(): Promise<Square>;
  /** B·W for coefficients of one column. */
  times(coef: Float64Array): Promise<Float64Array>;
  /** The coefficients of Bᵀ·t. */
  back(t: Float64Array): Promise<Float64Array>;
}

interface Active {
  readonly rows: Int32Array;
  readonly roots: Float64Array;
  /** The second derivatives as parts of their sum. */
  readonly parts: Float64Array;
}

/** `scale`: the second derivative of each row, shape (n); those of 0 are left out. */
function activeOf(scale: Float32Array): Active {
  const rows = Int32Array.from(scale.keys()).filter((i) => scale[i]! > 0);
  const sum = rows.reduce((total, i) => total + scale[i]!, 0);
  return {
    rows,
    roots: Float64Array.from(rows, (i) => Math.sqrt(scale[i]!)),
    parts: Float64Array.from(rows, (i) => scale[i]! / sum),
  };
}

/** Values of B in one product with itself: 8 MiB. */
const BLOCK_VALUES = 2 ** 20;

/** Active rows of X (n, d), column means `mean`: coefficients are weights. B is copied whole, but for `square`. */
export function activeColumns(X: Matrix, mean: Float64Array, scale: Float32Array): ActiveRows {
  const d = X.cols;
  const { rows, roots, parts } = activeOf(scale);
  const centre = new Float64Array(d);
  rows.forEach((i, r) => addLine(centre, parts[r]!, row(X, i)));
  const part = (from: number, to: number): Factor => {
    const data = new Float64Array((to - from) * d);
    for (let r = from; r < to; r++) {
      const line = row(X, rows[r]!);
      for (let j = 0, at = (r - from) * d; j < d; j++) data[at++] = roots[r]! * (line[j]! - centre[j]!);
    }
    return { data, rows: to - from, cols: d };
  };
  let whole: Factor | undefined;
  const all = (): Factor => (whole ??= part(0, rows.length));
  return {
    count: rows.length,
    mean: centre.map((value, j) => value - mean[j]!),
    gram: () => product('right', all(), all()),
    async square() {
      const sum = new Float64Array(d * d);
      const step = Math.max(1, Math.floor(BLOCK_VALUES / d));
      for (let from = 0; from < rows.length; from += step) {
        const block = part(from, Math.min(rows.length, from + step));
        addScaled(sum, 1, (await product('left', block, block)).data);
      }
      return { data: sum, rows: d, cols: d };
    },
    times: (coef) => timesThin(all(), coef, 1, 'float64'),
    back: (t) => transposedTimesThin(all(), t, 1, 'float64'),
  };
}

function addLine(sum: Float64Array, factor: number, line: Float32Array): void {
  for (let j = 0; j < line.length; j++) sum[j]! += factor * line[j]!;
}

/** Active rows in the span of all rows with the Gram matrix G (n, n): weights are combinations of the rows. */
export function activeSpan(G: Square, scale: Float32Array): ActiveRows {
  const n = G.rows;
  const { rows, roots, parts } = activeOf(scale);
  const lineOf = (i: number): Float64Array => G.data.subarray(i * n, (i + 1) * n);
  const mean = new Float64Array(n);
  rows.forEach((i, r) => (mean[i] = parts[r]!));
  return {
    count: rows.length,
    mean,
    gram() {
      const K = { data: new Float64Array(rows.length ** 2), rows: rows.length, cols: rows.length };
      const means = Float64Array.from(rows, (i) => {
        const line = lineOf(i);
        return rows.reduce((sum, j, r) => sum + parts[r]! * line[j]!, 0);
      });
      const whole = means.reduce((sum, value, r) => sum + parts[r]! * value, 0);
      for (let r = 0, at = 0; r < rows.length; r++) {
        const line = lineOf(rows[r]!);
        for (let s = 0; s < rows.length; s++, at++)
          K.data[at] = roots[r]! * roots[s]! * (line[rows[s]!]! - means[r]! - means[s]! + whole);
      }
      return Promise.resolve(K);
    },
    times(coef) {
      const logits = Float64Array.from(rows, (i) => lineOf(i).reduce((sum, g, j) => sum + g * coef[j]!, 0));
      const middle = logits.reduce((sum, logit, r) => sum + parts[r]! * logit, 0);
      return Promise.resolve(logits.map((logit, r) => roots[r]! * (logit - middle)));
    },
    back(t) {
      const whole = t.reduce((sum, value, r) => sum + roots[r]! * value, 0);
      const coef = new Float64Array(n);
      rows.forEach((i, r) => (coef[i] = roots[r]! * t[r]! - parts[r]! * whole));
      return Promise.resolve(coef);
    },
  };
}
