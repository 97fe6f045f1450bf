import type { Split } from '../core/sample.ts';
import type { Comparison, HeadResult, PairedTest, ValidationLooks, ViewsBenefit } from '../results/head-result.ts';
import { plural } from './format.ts';

const TEST_TEXTS: Readonly<Record<PairedTest, string>> = {
  mcnemar: "McNemar's exact test",
  'class-weighted-mcnemar': "McNemar's test, each class weighing the same,",
  'paired-t': 'the paired t test of the log losses',
};

/** The rule by which `count` others were compared with the best on the same `images`. */
export const comparisonRule = (count: number, images: string, test: Comparison['test']): string =>
  test === undefined
    ? `McNemar's exact test on the same ${images}, Holm's adjustment for ${plural(count, 'comparison')}`
    : `${TEST_TEXTS[test]} on the same ${images}, adjusted for any two of ${count + 1} being compared`;

/** A p-value with three digits after the point. */
export const pText = (p: number): string => (p < 0.0005 ? '<0.001' : p.toFixed(3));

/** What a head's views did, by McNemar's test at 5 %. */
export function viewsVerdict({ difference, pValue }: Pick<ViewsBenefit, 'difference' | 'pValue'>): string {
  if (pValue > 0.05) return 'no difference can be told';
  return difference > 0 ? 'the views helped' : 'the views hurt';
}

const SPLIT_NAMES: Readonly<Record<Split, string>> = { train: 'Train', val: 'Val', test: 'Test' };

/** How often the validated split was looked at: what is chosen by many looks looks better than it is. */
export function looksText({ heads, isComplete }: ValidationLooks, split: Split): string {
  const times = heads === 1 ? 'once' : `${heads} times`;
  const since = isComplete ? '' : ', not counting what older versions did';
  const advice = heads === 1 ? '' : ': the best figure of many heads on the same images is a little too high';
  return `${SPLIT_NAMES[split]} has been looked at ${times} by this store${since}${advice}.`;
}

const named = ({ name, pooling, views }: HeadResult): string =>
  `${name} on ${pooling}${views === undefined ? '' : ` with ${plural(views.count, 'view')}`}`;

/** Which heads of a run, the best first, cannot be told from the best: one sentence; empty for no heads. */
export function toldApartText(heads: readonly HeadResult[]): string {
  const [best, ...others] = heads;
  if (best === undefined) return '';
  if (others.length === 0) return 'There is one head, so nothing to compare it with.';
  if (others.some(({ comparison }) => comparison === undefined))
    return 'An older version trained these heads and did not compare them: "permafrost run" on the data set does.';
  const alike = others.filter(({ comparison }) => !comparison!.toldApart);
  const count = others.length;
  const verdict = `be told from the best, ${named(best)}, at 5 %`;
  const rule = comparisonRule(count, 'validated images', others[0]!.comparison!.test);
  if (alike.length === 0)
    return `${count === 1 ? 'The other head' : `All ${count} other heads`} can ${verdict} (${rule}).`;
  if (alike.length < count)
    return `${alike.length} of ${count} other heads cannot ${verdict}: ${alike.map(named).join(', ')} (${rule}).`;
  return `${count === 1 ? 'The other head cannot' : `None of the ${count} other heads can`} ${verdict} (${rule}).`;
}
