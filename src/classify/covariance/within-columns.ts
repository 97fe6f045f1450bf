import type { Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { gemm, type Factor } from '../linalg/gemm.ts';
import { inverseCholesky, solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import { addScaled } from '../linalg/vectors.ts';
import type { ClassMoments } from './class-moments.ts';
import { ledoitWolf, type Covariance, type Shrinkage } from './shrinkage.ts';

/** Values standardised at once: 16 MiB in float64; no fewer rows than this, for each part costs a (d, d) product. */
const PART_VALUES = 2 ** 21;
const LEAST_ROWS = 256;
/** Values of class scatters that one pass over stored features sums: 128 MiB in float64. */
const PASS_VALUES = 2 ** 24;

/** How many scatters are summed in one pass: one where rows in memory are passed at no cost. */
const slotsOf = (d: number, inMemory: boolean): number =>
  inMemory ? 1 : Math.max(1, Math.floor(PASS_VALUES / d ** 2));

/** Bytes of the covariance of so many columns: scatters, a product, the covariance, what its inverse takes, a part. */
export const columnCovarianceBytes = (d: number, inMemory: boolean): number =>
  8 * ((slotsOf(d, inMemory) + 5) * d * d + Math.max(PART_VALUES, LEAST_ROWS * d));

/** Sum of z·zᵀ (d, d) of some rows z, and of their squared length, squared. */
interface Scatter {
  readonly data: Float64Array;
  fourths: number;
}

/** The covariance (d, d): a pass for a share that is given; for `auto` one for as many classes as PASS_VALUES holds. */
export async function columnCovariance(
  rows: Rows,
  y: Int32Array,
  moments: ClassMoments,
  shrinkage: Shrinkage,
  context?: FitContext,
): Promise<Covariance> {
  const d = rows.cols;
  const { counts } = moments;
  const sigma = new Float64Array(d * d);
  const shrinkages = new Float64Array(counts.length);
  if (shrinkage === 'auto') {
    const slots = slotsOf(d, rows.matrix !== undefined);
    for (let first = 0; first < counts.length; first += slots) {
      const group = Array.from(counts.subarray(first, first + slots), (_, slot) => first + slot);
      const found = await scattersOf(rows, y, moments, group, context);
      found.forEach((scatter, slot) => (shrinkages[first + slot] = addClass(sigma, scatter, moments, first + slot)));
    }
  } else {
    const [{ data }] = (await scattersOf(rows, y, moments, undefined, context)) as [Scatter];
    let trace = 0;
    for (let j = 0; j < d; j++) trace += data[j * d + j]! / rows.rows;
    addScaled(sigma, (1 - shrinkage) / rows.rows, data);
    for (let j = 0; j < d; j++) sigma[j * d + j]! += (shrinkage * trace) / d;
    shrinkages.fill(shrinkage);
  }
  return {
    shrinkages,
    async solve(B, k) {
      const inverse = await inverseCholesky({ data: sigma, rows: d, cols: d });
      return inverse === undefined || isSingular(sigma, inverse) ? undefined : solveBy(inverse, B, k);
    },
  };
}

/** Whether a column is, to rounding, a sum of those before it: its pivot is what of its variance they leave. */
function isSingular(sigma: Float64Array, { data, rows: d }: Square): boolean {
  const least = d * Number.EPSILON;
  for (let j = 0; j < d; j++) if (1 / (data[j * d + j]! ** 2 * sigma[j * d + j]!) < least) return true;
  return false;
}

/** Adds the shrunk covariance of a class, times its share of the rows; returns how far it was shrunk. */
function addClass(sigma: Float64Array, { data, fourths }: Scatter, moments: ClassMoments, c: number): number {
  const { counts, deviations, varying } = moments;
  const own = deviations[c]!;
  const d = own.length;
  const rows = counts[c]!;
  const all = counts.reduce((sum, count) => sum + count, 0);
  let squares = 0;
  for (const value of data) squares += (value / rows) ** 2;
  const trace = varying[c]!;
  const shrunk = ledoitWolf({ rows, cols: d, trace, squares, fourths });
  for (let i = 0, at = 0; i < d; i++) {
    const left = ((1 - shrunk) * own[i]!) / all;
    for (let j = 0; j < d; j++, at++) sigma[at]! += left * own[j]! * data[at]!;
    sigma[i * d + i]! += (rows / all) * shrunk * (trace / d) * own[i]! ** 2;
  }
  return shrunk;
}

/**
 * One pass: the scatter of each class of `group` on its columns of variance 1; without a group that of all rows, each
 * about its class' mean, on the columns as they are.
 */
async function scattersOf(
  rows: Rows,
  y: Int32Array,
  moments: ClassMoments,
  group?: readonly number[],
  context?: FitContext,
): Promise<Scatter[]> {
  const d = rows.cols;
  const found = (group ?? [0]).map((): Scatter => ({ data: new Float64Array(d * d), fourths: 0 }));
  const step = Math.max(LEAST_ROWS, Math.floor(PART_VALUES / d));
  for await (const { start, X } of blocksOf(rows)) {
    for (const [slot, scatter] of found.entries()) {
      const places: number[] = [];
      for (let i = 0; i < X.rows; i++) if (group === undefined || y[start + i] === group[slot]) places.push(i);
      for (let from = 0; from < places.length; from += step) {
        checkAborted(context);
        const part = places.slice(from, from + step);
        const columns = columnsOf(X, part, y.subarray(start), moments, group !== undefined);
        addScaled(scatter.data, 1, (await gemm('right', columns, columns)).data as Float64Array);
        scatter.fourths += fourthsOf(columns);
      }
    }
  }
  return found;
}

/** Some rows less their class' mean, and where `scaled` over its deviation, transposed: shape (d, places), float64. */
function columnsOf(
  X: Matrix,
  places: readonly number[],
  y: Int32Array,
  { means, deviations }: ClassMoments,
  scaled: boolean,
): Factor {
  const [n, d] = [places.length, X.cols];
  const data = new Float64Array(n * d);
  places.forEach((place, i) => {
    const [mean, deviation] = [means[y[place]!]!, deviations[y[place]!]!];
    for (let j = 0, at = place * d, write = i; j < d; j++, at++, write += n)
      data[write] = (X.data[at]! - mean[j]!) / (scaled ? deviation[j]! : 1);
  });
  return { data, rows: d, cols: n };
}

function fourthsOf({ data, rows: d, cols: n }: Factor): number {
  const lengths = new Float64Array(n);
  for (let j = 0, at = 0; j < d; j++) for (let i = 0; i < n; i++) lengths[i]! += data[at++]! ** 2;
  return lengths.reduce((sum, length) => sum + length ** 2, 0);
}
