import type { Work } from '../work.ts';
import { scalesProbabilities } from '../../classify/heads/index.ts';
import { trainingData, type TrainingData, type TrainingRequest } from './data.ts';
import { heldOutRows } from './held-out-rows.ts';
import { judgeOutOfFold, type OutOfFoldWork } from './judge-out-of-fold.ts';
import { headOf, type TrainingPlan } from './plan.ts';
import { withReject } from './reject.ts';
import type { TrainedHead } from './trained-head.ts';
import { trainOnViews } from './views-effect.ts';

/** What a head is judged out of fold for, beside its temperature. */
export interface RuleRequest {
  /** Share of false rejects of its rule for "unknown"; 0: no rule. */
  readonly reject: number;
  /** Whether a table of answers is made, which says of training images what heads said that had not seen them. */
  readonly answers?: boolean;
}

/**
 * A head of the plan with its temperature and its rule for "unknown", in memory where the features fit, else in
 * reported blocks. Throws what trainingData, trainOnViews and withReject throw.
 */
export async function trainWithin(
  plan: TrainingPlan,
  request: TrainingRequest,
  { reject, answers = false }: RuleRequest,
  work: Work,
): Promise<TrainedHead> {
  const data = await trainingData(request, [plan]);
  const { reason } = data.train;
  if (reason !== undefined) work.listener?.note?.(`The features are read in streams: ${reason}.`);
  return trainWithRule(plan, data, { reject, answers }, work);
}

/** As `trainWithin`, on features that are there. Throws what trainOnViews and withReject throw. */
export async function trainWithRule(
  plan: TrainingPlan,
  data: TrainingData,
  { reject, answers = false }: RuleRequest,
  work: Work = {},
): Promise<TrainedHead> {
  const outOfFold = await outOfFoldOf(plan, data, { reject, answers }, work);
  const trained = await trainOnViews(plan, data, work, undefined, outOfFold);
  const { judged } = outOfFold;
  if (judged === undefined) return withReject(trained, data, outOfFold, reject, work);
  const result = { ...trained.result, crossValidated: judged.figures };
  return withReject({ ...trained, result, outOfFold: judged }, data, outOfFold, reject, work);
}

/** Judges the plan's head out of fold where that serves a temperature, a rule for "unknown" or a table of answers. */
async function outOfFoldOf(
  plan: TrainingPlan,
  data: TrainingData,
  { reject, answers }: RuleRequest,
  work: Work,
): Promise<OutOfFoldWork> {
  const inMemory = data.train.matrix !== undefined;
  const forRule = reject > 0 && inMemory && data.train.views.length === 0;
  const forAnswers = answers === true && inMemory;
  if (!forRule && !forAnswers && !scalesProbabilities(plan.head)) return { preparedMs: 0 };
  // A head that cannot be fitted on what is read in streams says so before anything is read for it.
  if (!inMemory && headOf(plan).inMemoryOnly !== undefined) return { preparedMs: 0 };
  const judged = await judgeOutOfFold(plan, await heldOutRows(data, work), work);
  if (scalesProbabilities(plan.head) && judged.temperature === undefined)
    work.listener?.note?.(`The probabilities of ${plan.head} are its own, by no temperature: ${judged.problem}.`);
  return judged;
}
