import { PermafrostError } from '../core/errors.ts';
import { type Matrix, matrix } from '../core/matrix.ts';
import { random } from '../core/random.ts';
import { matrixRows, type Rows } from '../core/rows.ts';
import { checkFinite } from './checks.ts';
import type { FitContext, RowsShape } from './head.ts';
import { timesThin, transposedTimesThin } from './linalg/thin.ts';
import { topEigenpairs } from './linalg/top-eigenpairs.ts';
import { centredGram } from './solvers/centred-gram.ts';
import { momentsBytes, momentsOf } from './solvers/row-moments.ts';
import { columnStatistics } from './solvers/row-statistics.ts';

/** A fitted projection onto principal components: (row - mean)·components. */
export interface Pca {
  /** Shape (d). */
  readonly mean: Float32Array;
  /** Shape (d, width), a column a component, the largest variance first; the largest weight of each is positive. */
  readonly components: Matrix;
  /** Share of the variance that the components keep, 0 to 1. */
  readonly kept: number;
}

/** The largest system of which eigenvectors are sought: 0.5 GB. */
const MOST_COMPONENT_ROWS = 8192;

/** Bytes that `fitPca` takes besides the rows, or a block of them: the system, its square, what its directions take. */
export function pcaBytes({ rows, cols, inMemory }: RowsShape & { readonly inMemory: boolean }): number {
  const isWide = inMemory && rows < cols;
  const systems = 3 * 8 * (isWide ? rows : cols) ** 2;
  return isWide ? systems : Math.max(momentsBytes(cols), systems);
}

/**
 * The first `width` principal components of n rows of d columns, as scikit-learn's PCA without whitening: eigenvectors
 * of the covariance (d, d), in one pass, or of the centred Gram matrix (n, n) where rows in memory are fewer. The same
 * input gives the same bytes. Throws FIT_INVALID for a width above the number of rows or columns, a system above 8192,
 * values that are not finite; INTERRUPTED.
 */
export async function fitPca(rows: Rows, width: number, context?: FitContext): Promise<Pca> {
  const { rows: n, cols: d, matrix: X } = rows;
  checkWidth(rows, width);
  const isWide = X !== undefined && n < d;
  if ((isWide ? n : d) > MOST_COMPONENT_ROWS) {
    throw new PermafrostError(
      'FIT_INVALID',
      X === undefined
        ? `Principal components of features that are read in streams need at most ${MOST_COMPONENT_ROWS} columns, found ${d}. Use pooled features, or allow more memory.`
        : `Principal components need at most ${MOST_COMPONENT_ROWS} rows or columns, found ${n} x ${d}. Use pooled features.`,
    );
  }
  if (!isWide) {
    const { scatter, mean } = await momentsOf(rows, new Int32Array(n), Float64Array.of(1), context);
    return componentsOf(scatter, Float32Array.from(mean), width, context);
  }
  checkFinite(X);
  const mean = Float32Array.from(columnStatistics(X).mean);
  const gram = await centredGram(X, mean, context);
  return componentsOf(gram, mean, width, context, (columns, values) => turnedBack(X, mean, columns, values));
}

/** Throws FIT_INVALID where there are fewer rows or columns than components. */
function checkWidth({ rows, cols }: RowsShape, width: number): void {
  if (width <= Math.min(rows, cols)) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `${width} principal components need as many rows and columns, found ${rows} x ${cols}. Lower pca or add images.`,
  );
}

/**
 * Components from the columns' scatter (d, d), or from another matrix with its eigenvalues whose eigenvectors `turn`
 * makes columns (d, width). Throws FIT_INVALID for no variance, INTERRUPTED.
 */
async function componentsOf(
  system: Float64Array,
  mean: Float32Array,
  width: number,
  context?: FitContext,
  turn?: (columns: Float64Array, values: Float64Array) => Promise<Float64Array>,
): Promise<Pca> {
  const d = mean.length;
  const size = Math.sqrt(system.length);
  let total = 0;
  for (let i = 0; i < size; i++) total += system[i * size + i]!;
  const { values, vectors } = await topEigenpairs(system, size, width, random(1), context);
  const columns = transposed(vectors, width, size);
  const components = turn === undefined ? columns : await turn(columns, values);
  signed(components, d, width);
  const variance = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  return {
    mean,
    components: matrix(d, width, new Float32Array(components)),
    kept: total > 0 ? Math.min(1, variance / total) : 1,
  };
}

/** X projected, shape (n, width), summed in float64. */
export async function applyPca({ mean, components }: Pca, X: Matrix): Promise<Matrix> {
  const k = components.cols;
  const columns = new Float64Array(components.data);
  const shift = await timesThin({ data: new Float64Array(mean), rows: 1, cols: X.cols }, columns, k, 'float64');
  const scores = await timesThin(X, columns, k, 'float64');
  const out = matrix(X.rows, k);
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let c = 0; c < k; c++, at++) out.data[at] = scores[at]! - shift[c]!;
  }
  return out;
}

/** Every row projected: of rows in memory at once, else block by block as they are read. */
export async function projectedRows(pca: Pca, rows: Rows): Promise<Rows> {
  if (rows.matrix !== undefined) return matrixRows(await applyPca(pca, rows.matrix));
  const read = async (block: number): Promise<Matrix> => applyPca(pca, await rows.read(block));
  return { ...rows, cols: pca.components.cols, read };
}

/** Gram eigenvectors U (n, width) as columns: Xcᵀ·U / sqrt(value); zeros where there is no variance. */
async function turnedBack(X: Matrix, mean: Float32Array, U: Float64Array, values: Float64Array): Promise<Float64Array> {
  const k = values.length;
  // Below this, rounding of the float32 products is all that an eigenvalue is.
  const least = Math.max(0, values[0] ?? 0) * 2 ** -20;
  const scaled = U.map((u, at) => (values[at % k]! > least ? u / Math.sqrt(values[at % k]!) : 0));
  const sums = new Float64Array(k);
  for (let at = 0; at < scaled.length; at++) sums[at % k]! += scaled[at]!;
  const columns = await transposedTimesThin(X, scaled, k, 'float64');
  for (let at = 0; at < columns.length; at++) columns[at]! -= mean[Math.floor(at / k)]! * sums[at % k]!;
  return columns;
}

function transposed(rows: Float64Array, count: number, size: number): Float64Array {
  const out = new Float64Array(rows.length);
  for (let r = 0; r < count; r++) for (let i = 0; i < size; i++) out[i * count + r] = rows[r * size + i]!;
  return out;
}

/** Turns each column so that its largest weight is positive: eigenvectors have no sign of their own. */
function signed(columns: Float64Array, rows: number, k: number): void {
  for (let c = 0; c < k; c++) {
    let most = 0;
    for (let i = 0; i < rows; i++) {
      const value = columns[i * k + c]!;
      if (Math.abs(value) > Math.abs(most)) most = value;
    }
    if (most < 0) for (let i = 0; i < rows; i++) columns[i * k + c]! *= -1;
  }
}
