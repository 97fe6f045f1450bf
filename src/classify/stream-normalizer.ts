import { PermafrostError } from '../core/errors.ts';
import { row } from '../core/matrix.ts';
import { blocksOf, type RowSource } from '../core/row-source.ts';
import { checkFinite } from './checks.ts';
import { divideRows, scaleOf, type Normalization, type Normalizer } from './normalize.ts';

/**
 * `fitNormalizer` on a stream: two passes for `standard`, none for the others; `parts` are the columns of each part,
 * default: one. Throws FIT_INVALID when there are no rows, or values that are not finite.
 */
export async function fitStreamNormalizer(
  kind: Normalization,
  source: RowSource,
  parts: readonly number[] = [source.cols],
): Promise<Normalizer> {
  if (kind === 'l2') return { kind, features: source.cols, ...(parts.length > 1 && { parts: [...parts] }) };
  if (kind === 'none') return { kind, features: source.cols };
  if (source.rows === 0) throw new PermafrostError('FIT_INVALID', 'No rows to standardise.');
  const mean = new Float64Array(source.cols);
  for await (const { X } of blocksOf(source)) {
    checkFinite(X);
    for (let i = 0; i < X.rows; i++) addTo(mean, row(X, i));
  }
  for (let j = 0; j < mean.length; j++) mean[j]! /= source.rows;
  const squares = new Float64Array(source.cols);
  for await (const { X } of blocksOf(source)) {
    for (let i = 0; i < X.rows; i++) addSquares(squares, row(X, i), mean);
  }
  const scale = squares.map((sum, j) => scaleOf(sum, mean[j]!, source.rows));
  return {
    kind,
    features: source.cols,
    mean: Float32Array.from(mean),
    scale: Float32Array.from(scale),
  };
}

function addTo(sums: Float64Array, values: Float32Array): void {
  for (let j = 0; j < values.length; j++) sums[j]! += values[j]!;
}

function addSquares(sums: Float64Array, values: Float32Array, mean: Float64Array): void {
  for (let j = 0; j < values.length; j++) sums[j]! += (values[j]! - mean[j]!) ** 2;
}

/**
 * The source with every row normalised; the source itself must not be read beside it. For `l2` of a single part a block
 * is read twice at its first time, for the lengths; a value is within 1.2e-7 of itself of what applyNormalizer gives:
 * the inverse of the length is rounded to float32. Else the values are to the bit those of applyNormalizer.
 */
export function normalizedSource(source: RowSource, normalizer: Normalizer): RowSource {
  if (normalizer.kind === 'none') return source;
  if (normalizer.kind === 'l2' && normalizer.parts !== undefined)
    return balancedSource(source, normalizer.parts);
  const { starts } = source;
  /** What makes a row's length 1; NaN for those of blocks that were not read yet. */
  const scales = new Float32Array(normalizer.kind === 'l2' ? source.rows : 0).fill(NaN);
  return {
    ...source,
    async read(block) {
      if (normalizer.kind === 'standard') {
        const X = await source.read(block);
        for (let i = 0; i < X.rows; i++) standardise(row(X, i), normalizer.mean, normalizer.scale);
        return X;
      }
      const from = starts[block]!;
      if (Number.isNaN(scales[from])) {
        const X = await source.read(block);
        checkFinite(X);
        for (let i = 0; i < X.rows; i++) scales[from + i] = 1 / lengthOf(row(X, i));
      }
      return source.read(block, scales);
    },
  };
}

/**
 * The source with several parts side by side made equally long (`balanced`); of one part itself. The source must not be
 * read beside it.
 */
export function balancedSource(source: RowSource, parts: readonly number[]): RowSource {
  if (parts.length === 1) return source;
  return {
    ...source,
    async read(block) {
      const X = await source.read(block);
      divideRows(X, parts, X);
      return X;
    },
  };
}

/** As `unitRows`: in float64, 1 for a row of zeros. */
function lengthOf(values: Float32Array): number {
  let squares = 0;
  for (let j = 0; j < values.length; j++) squares += values[j]! ** 2;
  return squares === 0 ? 1 : Math.sqrt(squares);
}

function standardise(values: Float32Array, mean: Float32Array, scale: Float32Array): void {
  for (let j = 0; j < values.length; j++) values[j] = (values[j]! - mean[j]!) / scale[j]!;
}
