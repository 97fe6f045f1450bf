import { type OptionSpec } from '../../core/options.ts';
import { valueAt } from '../linalg/symmetric-panels.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** The width of the kernel exp(-gamma·d²): a number, or by the median heuristic. */
export type Gamma = number | 'median';

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0 && Number.isFinite(value);

/** The option `gamma`. Numbers may come as text, from a command line. */
export const GAMMA_OPTION: OptionSpec<Gamma> = {
  default: 'median',
  describe: 'width of the kernel exp(-gamma d²); median: 1 / the median squared distance of the training rows',
  accepts: 'median or a number > 0',
  kind: 'string',
  check: (value) =>
    value === 'median' || isPositive(value) || (typeof value === 'string' && value !== '' && isPositive(Number(value))),
};

/** A checked value of the option. */
export const gammaOf = (value: Gamma): Gamma => (value === 'median' ? value : Number(value));

/** Rows whose pairs the median is of: half a million pairs. */
const MOST_ROWS = 1000;

/** At most 1,000 of `count` rows, evenly spread. */
export function spreadRows(count: number): number[] {
  const taken = Math.min(count, MOST_ROWS);
  return Array.from({ length: taken }, (_, t) => Math.floor((t * count) / taken));
}

/**
 * gamma = 1 / median of d² over the pairs of rows that differ, of at most 1,000 rows, evenly spread: the middle of the
 * range of good values, the quantiles 0.1 to 0.9 of 1 / d² (Caputo, Sim, Furesjö and Smola 2002, "Appearance-based
 * object recognition using SVMs: which kernel should I use?"; kernlab's `sigest`). 1 where all rows are equal.
 * `rows`: of which rows, by default all.
 */
export function medianGamma(distances: SquaredDistances, rows?: readonly number[]): number {
  const some = spreadRows(rows?.length ?? distances.rows).map((at) => rows?.[at] ?? at);
  const taken = some.length;
  const pairs = new Float32Array((taken * (taken - 1)) / 2);
  let found = 0;
  for (let a = 0; a < taken; a++) {
    for (let b = 0; b < a; b++) {
      const far = valueAt(distances, some[a]!, some[b]!);
      if (far > 0) pairs[found++] = far;
    }
  }
  if (found === 0) return 1;
  const sorted = pairs.subarray(0, found).sort();
  return 2 / (sorted[(found - 1) >> 1]! + sorted[found >> 1]!);
}
