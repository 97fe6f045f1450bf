import { accuracyDifference, mcNemar } from '../../classify/evaluate/paired-tests.ts';
import type { Work } from '../work.ts';
import type { TrainingData } from './data.ts';
import type { OutOfFoldWork } from './judge-out-of-fold.ts';
import type { TrainingPlan } from './plan.ts';
import { trainHead } from './train-head.ts';
import type { TrainedHead } from './trained-head.ts';

export const withoutViews = (data: TrainingData): TrainingData => ({ ...data, train: { ...data.train, views: [] } });

/** How many heads looked at the validation images for a trained one: with views, the same head without them too. */
export const headsMeasured = ({ result }: Pick<TrainedHead, 'result'>): number => (result.views === undefined ? 1 : 2);

/**
 * Trains a head on the images and their views, and measures the effect of the views against `without`: the same head on
 * the images alone, trained here where it is not given. Throws as trainHead.
 */
export async function trainOnViews(
  plan: TrainingPlan,
  data: TrainingData,
  work: Work = {},
  without?: Pick<TrainedHead, 'result' | 'judged'>,
  outOfFold?: OutOfFoldWork,
): Promise<TrainedHead> {
  const trained = await trainHead(plan, data, work, outOfFold);
  const count = data.train.views.length;
  if (count === 0) return trained;
  const plain = without ?? (await trainHead(plan, withoutViews(data), work));
  const { truth, guess } = trained.judged;
  const { onlyFirst, onlySecond, pValue } = mcNemar(truth, guess, plain.judged.guess);
  const views = {
    count,
    accuracyWithout: plain.result.accuracy,
    ...accuracyDifference({ onlyFirst, onlySecond }, truth.length),
    pValue,
    onlyWith: onlyFirst,
    onlyWithout: onlySecond,
  };
  const { params, changed } = trained.result;
  return {
    ...trained,
    result: { ...trained.result, params: { ...params, views: count }, changed: { ...changed, views: count }, views },
  };
}
