import { rowRange, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite } from '../checks.ts';
import { gemm, type Factor } from '../linalg/gemm.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { addScaled } from '../linalg/vectors.ts';

/** Weighted sums of rows and of their products, in float64. */
export interface RowMoments {
  /** Sum of the rows' weights. */
  readonly weight: number;
  /** Weighted mean, shape (d). */
  readonly mean: Float64Array;
  /** Weighted sum of (row - mean)·(row - mean)ᵀ, shape (d, d). */
  readonly scatter: Float64Array;
  /** Mean row of each class, shape (classes, d); zeros for a class without rows. */
  readonly classMeans: readonly Float64Array[];
}

/** Values centred at once: 16 MiB in float64; no fewer rows than this, for each part costs a (d, d) product. */
const PART_VALUES = 2 ** 21;
const LEAST_ROWS = 256;

/** Bytes that `momentsOf` takes besides the block: the scatter, a product of its size, and a part of the rows. */
export const momentsBytes = (cols: number): number => 8 * (2 * cols * cols + Math.max(PART_VALUES, LEAST_ROWS * cols));

/**
 * One pass over rows of classes y, weighted by class. Each part is centred by its own mean and merged (Chan, Golub and
 * LeVeque 1979): large columns of little variance lose no digits. Throws FIT_INVALID for NaN or infinities,
 * INTERRUPTED.
 */
export async function momentsOf(
  source: Rows,
  y: Int32Array,
  byClass: Float64Array,
  context?: FitContext,
): Promise<RowMoments> {
  const d = source.cols;
  const mean = new Float64Array(d);
  const scatter = new Float64Array(d * d);
  const classMeans = Array.from(byClass, () => new Float64Array(d));
  const counts = new Float64Array(byClass.length);
  const step = Math.max(LEAST_ROWS, Math.floor(PART_VALUES / d));
  let weight = 0;
  for await (const { start, X } of blocksOf(source)) {
    for (let from = 0; from < X.rows; from += step) {
      checkAborted(context);
      const part = rowRange(X, from, Math.min(X.rows, from + step));
      const classes = y.subarray(start + from, start + from + part.rows);
      const sums = classSums(part, classes, byClass.length);
      // Whatever is not finite is so in the sums: the values are looked at only then.
      if (!sums.every((values) => values.every(Number.isFinite))) checkFinite(part, start + from);
      const partCounts = countClasses(classes, byClass.length);
      const sum = byClass.reduce((total, each, c) => total + each * partCounts[c]!, 0);
      sums.forEach((values, c) => addScaled(classMeans[c]!, 1, values));
      partCounts.forEach((count, c) => (counts[c]! += count));
      if (sum === 0) continue;
      const own = new Float64Array(d);
      sums.forEach((values, c) => addScaled(own, byClass[c]! / sum, values));
      const roots = Float64Array.from(classes, (c) => Math.sqrt(byClass[c]!));
      const centred = centredRows(part, own, roots);
      addScaled(scatter, 1, (await gemm('left', centred, centred)).data as Float64Array);
      const apart = own.map((value, j) => value - mean[j]!);
      addSquare(scatter, (weight * sum) / (weight + sum), apart);
      addScaled(mean, sum / (weight + sum), apart);
      weight += sum;
    }
  }
  classMeans.forEach((values, c) => {
    if (counts[c]! > 0) for (let j = 0; j < d; j++) values[j]! /= counts[c]!;
  });
  return { weight, mean, scatter, classMeans };
}

/** X - mean, each row times its root, shape (rows, d), float64. */
export function centredRows(X: Matrix, mean: Float64Array, roots: Float64Array): Factor {
  const [n, d] = [X.rows, X.cols];
  const data = new Float64Array(n * d);
  for (let i = 0, at = 0; i < n; i++) {
    const root = roots[i]!;
    for (let j = 0; j < d; j++, at++) data[at] = root * (X.data[at]! - mean[j]!);
  }
  return { data, rows: n, cols: d };
}

/** Sum of the rows of each class, (classes) of shape (d). */
function classSums(X: Matrix, classOf: Int32Array, classes: number): Float64Array[] {
  const sums = Array.from({ length: classes }, () => new Float64Array(X.cols));
  for (let i = 0, at = 0; i < X.rows; i++) {
    const own = sums[classOf[i]!]!;
    for (let j = 0; j < X.cols; j++, at++) own[j]! += X.data[at]!;
  }
  return sums;
}

/** data += factor · line·lineᵀ, in place. */
function addSquare(data: Float64Array, factor: number, line: Float64Array): void {
  if (factor === 0) return;
  const d = line.length;
  for (let i = 0, at = 0; i < d; i++) {
    const scaled = factor * line[i]!;
    for (let j = 0; j < d; j++, at++) data[at]! += scaled * line[j]!;
  }
}
