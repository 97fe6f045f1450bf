import type { HeadResult } from '../results/head-result.ts';
import { plural } from './format.ts';

/** The rule by which `count` others are compared with the best on the same `images`. */
export const comparisonRule = (count: number, images: string): string =>
  `McNemar's exact test on the same ${images}, Holm's adjustment for ${plural(count, 'comparison')}`;

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
  const rule = comparisonRule(count, 'validated images');
  if (alike.length === 0)
    return `${count === 1 ? 'The other head' : `All ${count} other heads`} can ${verdict} (${rule}).`;
  if (alike.length < count)
    return `${alike.length} of ${count} other heads cannot ${verdict}: ${alike.map(named).join(', ')} (${rule}).`;
  return `${count === 1 ? 'The other head cannot' : `None of the ${count} other heads can`} ${verdict} (${rule}).`;
}
