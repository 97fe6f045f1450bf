import { checkLengths } from './metrics.ts';
import { normalTail } from './distributions.ts';

/** Rows on which one of two heads alone was right, of classes of the same size, and what each weighs. */
interface Discordant {
  readonly weight: number;
  onlyFirst: number;
  onlySecond: number;
}

/** The distribution is worked out exactly up to this number of values, else taken as normal. */
const MOST_VALUES = 2 ** 16;

/**
 * Two-sided p-value of "both heads have the same balanced accuracy": McNemar's test with rows that weigh the more the
 * rarer their class. A row that only one head got right is either's with chance 1/2; the difference in balanced
 * accuracy is the sum of such signs times 1 / (classes · rows of the class). Exact where that sum has few values
 * (classes of one size: McNemar's exact test), else by its normal approximation, whose variance is exact under equal
 * chances and too large otherwise. `truth`, `first`, `second`: class indices (n). Throws FIT_INVALID for other lengths.
 */
export function stratifiedSigns(truth: Int32Array, first: Int32Array, second: Int32Array): number {
  checkLengths(truth.length, first.length);
  checkLengths(truth.length, second.length);
  const groups = discordant(truth, first, second);
  const difference = groups.reduce((sum, g) => sum + g.weight * (g.onlyFirst - g.onlySecond), 0);
  const counts = groups.map((g) => g.onlyFirst + g.onlySecond);
  if (counts.every((count) => count === 0)) return 1;
  const values = counts.reduce((product, count) => product * (count + 1), 1);
  if (values <= MOST_VALUES) return exactTail(groups, Math.abs(difference));
  const variance = groups.reduce((sum, { weight }, i) => sum + weight ** 2 * counts[i]!, 0);
  return Math.min(1, 2 * normalTail(Math.abs(difference) / Math.sqrt(variance)));
}

/** By the size of the class: classes of one size weigh the same. */
function discordant(truth: Int32Array, first: Int32Array, second: Int32Array): Discordant[] {
  const sizes = new Map<number, number>();
  for (const c of truth) sizes.set(c, (sizes.get(c) ?? 0) + 1);
  const groups = new Map<number, Discordant>();
  for (const size of sizes.values()) groups.set(size, { weight: 1 / (sizes.size * size), onlyFirst: 0, onlySecond: 0 });
  truth.forEach((c, i) => {
    const [isFirst, isSecond] = [first[i] === c, second[i] === c];
    if (isFirst === isSecond) return;
    const group = groups.get(sizes.get(c)!)!;
    if (isFirst) group.onlyFirst++;
    else group.onlySecond++;
  });
  return [...groups.values()];
}

/** P(|sum of weighted signs| >= observed), every sign one half: all sums with their chances, group by group. */
function exactTail(groups: readonly Discordant[], observed: number): number {
  let sums = [{ value: 0, chance: 1 }];
  for (const { weight, onlyFirst, onlySecond } of groups) {
    const n = onlyFirst + onlySecond;
    if (n === 0) continue;
    const steps: { value: number; chance: number }[] = [];
    let log = -n * Math.LN2;
    for (let i = 0; i <= n; i++) {
      steps.push({ value: weight * (2 * i - n), chance: Math.exp(log) });
      log += Math.log((n - i) / (i + 1));
    }
    sums = sums.flatMap((sum) =>
      steps.map((step) => ({ value: sum.value + step.value, chance: sum.chance * step.chance })),
    );
  }
  // Sums of floats: what is as far as the observed one may differ in its last digits.
  const least = observed * (1 - 1e-9) - 1e-12;
  return Math.min(
    1,
    sums.reduce((tail, { value, chance }) => tail + (Math.abs(value) >= least ? chance : 0), 0),
  );
}
