import type { Work } from '../work.ts';
import { scalesProbabilities } from '../../classify/heads/index.ts';
import { trainingData, type TrainingData, type TrainingRequest } from './data.ts';
import { heldOutRows } from './held-out-rows.ts';
import { judgeOutOfFold, type OutOfFoldWork } from './judge-out-of-fold.ts';
import { headOf, type TrainingPlan } from './plan.ts';
import { withReject } from './reject.ts';
import type { TrainedHead } from './trained-head.ts';
import { trainOnViews } from './views-effect.ts';

/**
 * A head of the plan with its temperature and its rule for "unknown", in memory where the features fit, else in
 * reported blocks. Throws what trainingData, trainOnViews and withReject throw.
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
  return trainWithRule(plan, data, reject, work);
}

/** As `trainWithin`, on features that are there. Throws what trainOnViews and withReject throw. */
export async function trainWithRule(
  plan: TrainingPlan,
  data: TrainingData,
  reject: number,
  work: Work = {},
): Promise<TrainedHead> {
  const outOfFold = await outOfFoldOf(plan, data, reject, work);
  const trained = await trainOnViews(plan, data, work, undefined, outOfFold);
  const figures = outOfFold.judged?.figures;
  const result = { ...trained.result, ...(figures && { crossValidated: figures }) };
  return withReject({ ...trained, result }, data, outOfFold, reject, work);
}

/** Judges the plan's head out of fold where that serves a temperature or a rule for "unknown"; else nothing. */
async function outOfFoldOf(plan: TrainingPlan, data: TrainingData, reject: number, work: Work): Promise<OutOfFoldWork> {
  const inMemory = data.train.matrix !== undefined;
  const forRule = reject > 0 && inMemory && data.train.views.length === 0;
  if (!forRule && !scalesProbabilities(plan.head)) return { preparedMs: 0 };
  // A head that cannot be fitted on what is read in streams says so before anything is read for it.
  if (!inMemory && headOf(plan).inMemoryOnly !== undefined) return { preparedMs: 0 };
  const judged = await judgeOutOfFold(plan, await heldOutRows(data, work), work);
  if (scalesProbabilities(plan.head) && judged.temperature === undefined)
    work.listener?.note?.(`The probabilities of ${plan.head} are its own, by no temperature: ${judged.problem}.`);
  return judged;
}
