import { mcNemar } from '../evaluate/paired-tests.ts';

/** How a candidate compares with the best one on the same images. */
export interface Comparison {
  /** McNemar's exact test, not adjusted for the number of candidates. */
  readonly pValue: number;
  /** Whether the difference stands at 5 % after Holm's adjustment for that number. */
  readonly toldApart: boolean;
}

/**
 * Each candidate against the first, the best. Holm's adjustment (Holm 1979, Scandinavian Journal of Statistics 6:65)
 * keeps the chance of any wrong difference at `level`; that the best was chosen on the same rows is not adjusted for.
 * `truth` and `predictions`: class indices (n). One comparison a candidate, the best's own first.
 */
export function compareWithBest(truth: Int32Array, predictions: readonly Int32Array[], level = 0.05): Comparison[] {
  const [best, ...others] = predictions;
  if (best === undefined) return [];
  const pValues = others.map((other) => mcNemar(truth, best, other).pValue);
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]! || a - b);
  const apart = new Set<number>();
  for (const [at, i] of order.entries()) {
    if (pValues[i]! * (pValues.length - at) > level) break;
    apart.add(i);
  }
  return [{ pValue: 1, toldApart: false }, ...pValues.map((pValue, i) => ({ pValue, toldApart: apart.has(i) }))];
}
