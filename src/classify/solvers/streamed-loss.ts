import { countClasses } from '../labels.ts';
import { againstRestLoss } from './against-rest.ts';
import type { LinearLoss } from './linear-fit.ts';
import type { LossByParts } from './loss.ts';
import { logisticLoss } from './logistic-loss.ts';
import { rowWeights, sharesOf } from './row-weights.ts';

/** A loss on rows of the classes y (n), and what else a solver needs of it. */
export interface StreamedLoss {
  readonly loss: LossByParts;
  /** What C is multiplied with: the sum of the rows' weights; of several problems the least. */
  readonly sum: number;
  /** Its mean second derivative by a score where no row is told from another yet. */
  readonly bend: number;
}

/** The loss `name` of all classes at once, rows weighted by their class (`byClass`). */
export function streamedLoss(name: LinearLoss, y: Int32Array, byClass: Float64Array): StreamedLoss {
  const classes = byClass.length;
  if (name !== 'logistic')
    return { ...againstRestLoss(name, y, byClass), bend: name === 'squaredHinge' ? 2 : 1 };
  const { shares, sum } = sharesOf(rowWeights(y, (c) => byClass[c]!));
  const counts = countClasses(y, classes);
  const total = counts.reduce((all, count, c) => all + count * byClass[c]!, 0);
  const bends = Array.from(counts, (count, c) => {
    const share = (count * byClass[c]!) / total;
    return share * (1 - share);
  });
  return {
    loss: logisticLoss(y, classes === 2 ? 1 : classes, shares),
    sum,
    bend: bends.reduce((all, bend) => all + bend, 0) / classes,
  };
}
