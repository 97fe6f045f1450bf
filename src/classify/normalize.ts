import { PermafrostError } from '../core/errors.ts';
import { matrix, row, type Matrix } from '../core/matrix.ts';
import { blocksOf, matrixRows, type Rows } from '../core/rows.ts';
import { checkFinite, checkPredict } from './checks.ts';
import { standardDeviation } from './linalg/standard-deviation.ts';

export const NORMALIZATIONS = ['l2', 'standard', 'none'] as const;
/**
 * `l2`: each row divided by its Euclidean length (scikit-learn's Normalizer). `standard`: each column minus its mean,
 * divided by its standard deviation over the training rows (StandardScaler). `none`: as it is.
 * Features of several parts side by side: `l2` makes the parts equally long first, for activations of layers differ by
 * far in size. The row has length 1 all the same, and a cosine is the mean of the parts' cosines.
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
  | { readonly kind: 'standard'; readonly features: number; readonly mean: Float32Array; readonly scale: Float32Array };

/**
 * Learns the normalisation from rows (n, d): two passes for `standard`, else none. `parts`: columns of each part,
 * default one part. Throws FIT_INVALID for no rows, or values that are not finite.
 */
export async function fitNormalizer(
  kind: Normalization,
  rows: Rows,
  parts: readonly number[] = [rows.cols],
): Promise<Normalizer> {
  const features = rows.cols;
  if (kind === 'l2') return { kind, features, ...(parts.length > 1 && { parts: [...parts] }) };
  if (kind === 'none') return { kind, features };
  if (rows.rows === 0) throw new PermafrostError('FIT_INVALID', 'No rows to standardise.');
  const mean = new Float64Array(features);
  for await (const { start, X } of blocksOf(rows)) {
    checkFinite(X, start);
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < features; j++, at++) mean[j]! += X.data[at]!;
    }
  }
  for (let j = 0; j < features; j++) mean[j]! /= rows.rows;
  const squares = new Float64Array(features);
  for await (const { X } of blocksOf(rows)) {
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < features; j++, at++) squares[j]! += (X.data[at]! - mean[j]!) ** 2;
    }
  }
  const scale = squares.map((sum, j) => standardDeviation(sum, mean[j]!, rows.rows) || 1);
  return { kind, features, mean: Float32Array.from(mean), scale: Float32Array.from(scale) };
}

/** X normalised, a new matrix (X itself for `none`); zero rows stay zero. Throws FIT_INVALID for another width. */
export function applyNormalizer(normalizer: Normalizer, X: Matrix): Matrix {
  checkPredict(`The normalisation "${normalizer.kind}"`, X, normalizer.features);
  if (normalizer.kind === 'none') return X;
  if (normalizer.kind === 'l2') return unitRows(X, normalizer.parts);
  const out = matrix(X.rows, X.cols);
  standardize(X, normalizer, out);
  return out;
}

/**
 * Every row normalised, in memory at once as applyNormalizer does, else as blocks are read; `rows` must not be read by
 * others. `l2` of one part reads a block twice the first time, for lengths whose inverse is float32: within 1.2e-7
 * (relative) of applyNormalizer. Else the same bits.
 */
export function normalizedRows(normalizer: Normalizer, rows: Rows): Rows {
  if (rows.matrix !== undefined) return inMemory(rows, applyNormalizer(normalizer, rows.matrix));
  if (normalizer.kind === 'none') return rows;
  if (normalizer.kind === 'standard') return inPlace(rows, (X) => standardize(X, normalizer, X));
  if (normalizer.parts !== undefined) return balancedRows(rows, normalizer.parts);
  /** What makes a row's length 1; NaN for those of blocks that were not read yet. */
  const scales = new Float32Array(rows.rows).fill(NaN);
  return {
    ...rows,
    async read(block) {
      const from = rows.starts[block]!;
      if (Number.isNaN(scales[from])) {
        const X = await rows.read(block);
        checkFinite(X, from);
        for (let i = 0; i < X.rows; i++) scales[from + i] = 1 / lengthOf(row(X, i), 0, X.cols);
      }
      return rows.read(block, scales);
    },
  };
}

/** Parts side by side made equally long, as by `l2`, before distances are taken; one part stays as it is. */
export function balanced(X: Matrix, parts: readonly number[]): Matrix {
  return parts.length === 1 ? X : unitRows(X, parts);
}

/** As `balanced`, of rows that must not be read by others. */
export function balancedRows(rows: Rows, parts: readonly number[]): Rows {
  if (rows.matrix !== undefined) return inMemory(rows, balanced(rows.matrix, parts));
  return parts.length === 1 ? rows : inPlace(rows, (X) => divideRows(X, parts, X));
}

const inMemory = (rows: Rows, X: Matrix): Rows => (X === rows.matrix ? rows : matrixRows(X));

const inPlace = (rows: Rows, change: (X: Matrix) => void): Rows => ({
  ...rows,
  async read(block) {
    const X = await rows.read(block);
    change(X);
    return X;
  },
});

/**
 * Each row divided by its Euclidean length, in float64; zero rows stay zero. Of several `parts` (columns) each is
 * divided by its own length and the root of their number. Shape (n, d), a new matrix.
 */
export function unitRows(X: Matrix, parts: readonly number[] = [X.cols]): Matrix {
  const out = matrix(X.rows, X.cols);
  divideRows(X, parts, out);
  return out;
}

/** What `unitRows` gives, into `out` of the shape of X, which may be X. */
function divideRows(X: Matrix, parts: readonly number[], out: Matrix): void {
  const share = Math.sqrt(parts.length);
  for (let i = 0, start = 0; i < X.rows; i++) {
    for (const columns of parts) {
      const end = start + columns;
      const length = lengthOf(X.data, start, end) * share;
      for (let at = start; at < end; at++) out.data[at] = X.data[at]! / length;
      start = end;
    }
  }
}

/** Euclidean length of values [start, end), in float64; 1 for zeros. */
function lengthOf(values: Float32Array, start: number, end: number): number {
  let squares = 0;
  for (let at = start; at < end; at++) squares += values[at]! ** 2;
  return squares === 0 ? 1 : Math.sqrt(squares);
}

/** (X - mean) / scale, into `out` of the shape of X, which may be X. */
function standardize(
  X: Matrix,
  { mean, scale }: { readonly mean: Float32Array; readonly scale: Float32Array },
  out: Matrix,
): void {
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++, at++) out.data[at] = (X.data[at]! - mean[j]!) / scale[j]!;
  }
}
