import { PermafrostError } from '../core/errors.ts';
import { matrix, row, type Matrix } from '../core/matrix.ts';
import { blocksOf, matrixRows, type Rows } from '../core/rows.ts';
import { checkFinite, checkPredict } from './checks.ts';
import { standardDeviation } from './linalg/standard-deviation.ts';
import { yeoJohnson, yeoJohnsonLambdas } from './yeo-johnson.ts';

export const NORMALIZATIONS = ['l2', 'sqrt', 'standard', 'power', 'none'] as const;
/**
 * `l2`: each row divided by its Euclidean length (scikit-learn's Normalizer). `sqrt`: sign(x)·sqrt(|x|) of each number,
 * then `l2`: the Hellinger kernel of Arandjelovic and Zisserman 2012, power normalisation with the exponent 1/2 of
 * Perronnin et al. 2010. `standard`: each column minus its mean, divided by its standard deviation over the training
 * rows (StandardScaler). `power`: each column by the power of Yeo and Johnson (2000) under which its training values
 * are likeliest normal, then `standard` (PowerTransformer). `none`: as it is.
 * Features of several parts side by side: `l2` and `sqrt` make the parts equally long first, for activations of layers
 * differ by far in size. The row has length 1 all the same, and a cosine is the mean of the parts' cosines.
 */
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Whether a normalisation learns of the rows; what does not works on each row by itself. */
export const learnsOfRows = (kind: Normalization): kind is 'standard' | 'power' =>
  kind === 'standard' || kind === 'power';

/** A fitted normalisation. `mean`, `scale` and `lambdas` have shape (features). */
export type Normalizer =
  | {
      readonly kind: 'l2' | 'sqrt';
      readonly features: number;
      /** Columns of each part, where there are several. */
      readonly parts?: readonly number[];
    }
  | { readonly kind: 'none'; readonly features: number }
  | { readonly kind: 'standard'; readonly features: number; readonly mean: Float32Array; readonly scale: Float32Array }
  | {
      readonly kind: 'power';
      readonly features: number;
      /** Exponent of each column. */
      readonly lambdas: Float32Array;
      /** Of the values that these make. */
      readonly mean: Float32Array;
      readonly scale: Float32Array;
    };

/**
 * Learns the normalisation from rows (n, d): two passes for `standard`, for `power` some ten to thirty, else none.
 * `parts`: columns of each part, default one part. Throws FIT_INVALID for no rows, or values that are not finite.
 */
export async function fitNormalizer(
  kind: Normalization,
  rows: Rows,
  parts: readonly number[] = [rows.cols],
): Promise<Normalizer> {
  const features = rows.cols;
  if (kind === 'l2' || kind === 'sqrt') return { kind, features, ...(parts.length > 1 && { parts: [...parts] }) };
  if (kind === 'none') return { kind, features };
  if (rows.rows === 0) throw new PermafrostError('FIT_INVALID', 'No rows to standardise.');
  const { mean, deviation } = await columnMoments(rows);
  if (kind === 'standard') return { kind, features, ...scalingOf(mean, deviation) };
  const lambdas = await yeoJohnsonLambdas(rows, mean, (j) => deviation[j] === 0);
  const powered = await columnMoments(rows, (x, j) => yeoJohnson(x, lambdas[j]!));
  return { kind, features, lambdas, ...scalingOf(powered.mean, powered.deviation) };
}

const scalingOf = (mean: Float64Array, deviation: Float64Array) => ({
  mean: Float32Array.from(mean),
  scale: Float32Array.from(deviation, (value) => value || 1),
});

/**
 * Mean and standard deviation of each column, 0 where it is constant; of changed values, where so asked. Two passes.
 */
async function columnMoments(rows: Rows, changed: (x: number, column: number) => number = (x) => x) {
  const d = rows.cols;
  const mean = new Float64Array(d);
  for await (const { start, X } of blocksOf(rows)) {
    checkFinite(X, start);
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < d; j++, at++) mean[j]! += changed(X.data[at]!, j);
    }
  }
  for (let j = 0; j < d; j++) mean[j]! /= rows.rows;
  const squares = new Float64Array(d);
  for await (const { X } of blocksOf(rows)) {
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < d; j++, at++) squares[j]! += (changed(X.data[at]!, j) - mean[j]!) ** 2;
    }
  }
  return { mean, deviation: squares.map((sum, j) => standardDeviation(sum, mean[j]!, rows.rows)) };
}

/** X normalised, a new matrix (X itself for `none`); zero rows stay zero. Throws FIT_INVALID for another width. */
export function applyNormalizer(normalizer: Normalizer, X: Matrix): Matrix {
  checkPredict(`The normalisation "${normalizer.kind}"`, X, normalizer.features);
  if (normalizer.kind === 'none') return X;
  const out = matrix(X.rows, X.cols);
  normalizeInto(normalizer, X, out);
  return out;
}

/** X normalised into `out` of its shape, which may be X. */
function normalizeInto(normalizer: Exclude<Normalizer, { kind: 'none' }>, X: Matrix, out: Matrix): void {
  switch (normalizer.kind) {
    case 'l2':
      return divideRows(X, normalizer.parts ?? [X.cols], out);
    case 'sqrt':
      signedRoots(X, out);
      return divideRows(out, normalizer.parts ?? [X.cols], out);
    case 'standard':
      return standardize(X, normalizer, out);
    case 'power':
      for (let i = 0, at = 0; i < X.rows; i++) {
        for (let j = 0; j < X.cols; j++, at++) {
          const value = yeoJohnson(X.data[at]!, normalizer.lambdas[j]!);
          out.data[at] = (value - normalizer.mean[j]!) / normalizer.scale[j]!;
        }
      }
  }
}

/**
 * Every row normalised, in memory at once as applyNormalizer does, else as blocks are read; `rows` must not be read by
 * others. `l2` of one part reads a block twice the first time, for lengths whose inverse is float32: within 1.2e-7
 * (relative) of applyNormalizer. Else the same bits.
 */
export function normalizedRows(normalizer: Normalizer, rows: Rows): Rows {
  if (rows.matrix !== undefined) return inMemory(rows, applyNormalizer(normalizer, rows.matrix));
  if (normalizer.kind === 'none') return rows;
  if (normalizer.kind !== 'l2' || normalizer.parts !== undefined)
    return inPlace(rows, (X) => normalizeInto(normalizer, X, X));
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

/** sign(x)·sqrt(|x|) of each number, into `out` of the shape of X, which may be X. */
function signedRoots(X: Matrix, out: Matrix): void {
  for (let at = 0; at < X.data.length; at++) {
    const x = X.data[at]!;
    out.data[at] = x < 0 ? -Math.sqrt(-x) : Math.sqrt(x);
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
