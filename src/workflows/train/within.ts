import type { Work } from '../work.ts';
import { trainingData, type TrainingRequest } from './data.ts';
import type { TrainingPlan } from './plan.ts';
import { withReject } from './reject.ts';
import type { TrainedHead } from './trained-head.ts';
import { trainOnViews } from './views-effect.ts';

/**
 * A head of the plan with its rule for "unknown", in memory where the features fit, else in reported blocks. Throws
 * what trainingData, trainOnViews and withReject throw.
 */
export async function trainWithin(
  plan: TrainingPlan,
  request: TrainingRequest,
  reject: number,
  work: Work,
): Promise<TrainedHead> {
  const data = await trainingData(request, [plan]);
  const { reason } = data.train;
  if (reason !== undefined) work.listener?.note?.(`The features are read in streams: ${reason}.`);
  const trained = await trainOnViews(plan, data, work);
  return withReject(trained, plan, () => Promise.resolve(data), reject, work);
}
