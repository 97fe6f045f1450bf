import { PermafrostError } from '../core/errors.ts';
import { type Matrix, matrix } from '../core/matrix.ts';
import { checkPredict } from './checks.ts';
import type { HeadState } from './head.ts';

export const NORMALIZATIONS = ['l2', 'standard', 'none'] as const;
/**
 * `l2`: each row divided by its Euclidean length (scikit-learn's Normalizer). `standard`: each column minus its mean,
 * divided by its standard deviation over the training rows (StandardScaler). `none`: as it is.
 *
 * Of features of several parts side by side `l2` makes all parts equally long first: a deeper layer's activations are
 * smaller or larger by far, and would else drown the others or drown in them. The row as a whole has length 1, so that
 * a penalty means the same as for one part, and a cosine of two rows is the mean of the parts' cosines.
 */
export type Normalization = (typeof NORMALIZATIONS)[number];

/** A fitted normalisation. `mean` and `scale` have shape (features) and are there for `standard` only. */
export type Normalizer =
  | {
      readonly kind: 'l2';
      readonly features: number;
      /** Columns of each part, where there are several. */
      readonly parts?: readonly number[];
    }
  | { readonly kind: 'none'; readonly features: number }
  | {
      readonly kind: 'standard';
      readonly features: number;
      readonly mean: Float32Array;
      readonly scale: Float32Array;
    };

/**
 * Learns the normalisation from the training rows X, shape (n, d); `parts` are the columns of each part, default: one
 * part. Throws FIT_INVALID when X has no rows.
 */
export function fitNormalizer(
  kind: Normalization,
  X: Matrix,
  parts: readonly number[] = [X.cols],
): Normalizer {
  if (kind === 'l2') return { kind, features: X.cols, ...(parts.length > 1 && { parts: [...parts] }) };
  if (kind === 'none') return { kind, features: X.cols };
  if (X.rows === 0) throw new PermafrostError('FIT_INVALID', 'No rows to standardise.');
  const mean = columnMeans(X);
  const variance = new Float64Array(X.cols);
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++, at++) variance[j]! += (X.data[at]! - mean[j]!) ** 2;
  }
  const scale = variance.map((sum, j) => scaleOf(sum, mean[j]!, X.rows));
  return { kind, features: X.cols, mean: Float32Array.from(mean), scale: Float32Array.from(scale) };
}

/** The standard deviation of a column from its summed squared deviations; 1 for a constant column. */
export function scaleOf(squares: number, mean: number, rows: number): number {
  const v = squares / rows;
  // Rounding alone can give a constant column a variance; scikit-learn's bound (_is_constant_feature, after Chan et al.
  // 1979).
  const bound = rows * Number.EPSILON * v + (rows * mean * Number.EPSILON) ** 2;
  return v <= bound ? 1 : Math.sqrt(v);
}

/** Mean of each column, summed in float64, shape (d). */
export function columnMeans(X: Matrix): Float64Array {
  const sums = new Float64Array(X.cols);
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++, at++) sums[j]! += X.data[at]!;
  }
  return sums.map((sum) => sum / X.rows);
}

/**
 * X normalised, a new matrix (X itself for `none`). A row of zeros stays zero. Throws FIT_INVALID for another width.
 */
export function applyNormalizer(normalizer: Normalizer, X: Matrix): Matrix {
  checkPredict(`The normalisation "${normalizer.kind}"`, X, normalizer.features);
  if (normalizer.kind === 'none') return X;
  if (normalizer.kind === 'l2') return unitRows(X, normalizer.parts);
  const { mean, scale } = normalizer;
  const out = matrix(X.rows, X.cols);
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++, at++) out.data[at] = (X.data[at]! - mean[j]!) / scale[j]!;
  }
  return out;
}

/**
 * Each row divided by its Euclidean length, in float64; a row of zeros stays zero. Of several `parts` (their columns)
 * each is divided by its own length and by the root of their number. Shape (n, d), a new matrix.
 */
export function unitRows(X: Matrix, parts: readonly number[] = [X.cols]): Matrix {
  const out = matrix(X.rows, X.cols);
  divideRows(X, parts, out);
  return out;
}

/** What `unitRows` gives, into `out` of the shape of X, which may be X. */
export function divideRows(X: Matrix, parts: readonly number[], out: Matrix): void {
  const share = Math.sqrt(parts.length);
  for (let i = 0, start = 0; i < X.rows; i++) {
    for (const columns of parts) {
      const end = start + columns;
      let squares = 0;
      for (let at = start; at < end; at++) squares += X.data[at]! ** 2;
      const length = squares === 0 ? 1 : Math.sqrt(squares) * share;
      for (let at = start; at < end; at++) out.data[at] = X.data[at]! / length;
      start = end;
    }
  }
}

/**
 * Several parts side by side made equally long, as `l2` does, before their distances are taken; one part stays as it
 * is.
 */
export function balanced(X: Matrix, parts: readonly number[]): Matrix {
  return parts.length === 1 ? X : unitRows(X, parts);
}

/** The normaliser as data, for a head's file. */
export function normalizerState(normalizer: Normalizer): HeadState {
  const { kind, features } = normalizer;
  const parts = normalizer.kind === 'l2' ? normalizer.parts : undefined;
  const json = { kind, features, ...(parts && { parts }) };
  if (normalizer.kind !== 'standard') return { json, tensors: new Map() };
  const shape = [normalizer.features];
  return {
    json,
    tensors: new Map([
      ['mean', { shape, data: normalizer.mean }],
      ['scale', { shape, data: normalizer.scale }],
    ]),
  };
}

/** The normaliser that `normalizerState` wrote. Throws HEAD_CORRUPT when something is missing or has another shape. */
export function loadNormalizer(state: HeadState): Normalizer {
  const { kind, features, parts } = state.json;
  const known = NORMALIZATIONS.find((name) => name === kind);
  if (known === undefined || typeof features !== 'number') {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored normalisation is ${JSON.stringify(kind)} of ${JSON.stringify(features)} features; expected ${NORMALIZATIONS.join(', ')} and a number. Train the head again.`,
    );
  }
  if (known === 'none') return { kind: known, features };
  if (known === 'l2')
    return { kind: known, features, ...(parts !== undefined && { parts: columnsOf(parts, features) }) };
  return {
    kind: known,
    features,
    mean: column(state, 'mean', features),
    scale: column(state, 'scale', features),
  };
}

function columnsOf(parts: unknown, features: number): readonly number[] {
  const isWhole = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
  if (Array.isArray(parts) && parts.every(isWhole) && parts.reduce((sum, n) => sum + n, 0) === features)
    return parts;
  throw new PermafrostError(
    'HEAD_CORRUPT',
    `The stored normalisation has the parts ${JSON.stringify(parts)}; expected numbers of columns that make ${features}. Train the head again.`,
  );
}

function column(state: HeadState, name: string, features: number): Float32Array {
  const data = state.tensors.get(name)?.data;
  if (!(data instanceof Float32Array) || data.length !== features) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored normalisation lacks the tensor "${name}" of ${features} float32 values. Train the head again.`,
    );
  }
  return data;
}
