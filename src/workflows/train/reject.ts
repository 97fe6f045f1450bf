import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { RejectResult } from '../../results/head-result.ts';
import type { Split } from '../../core/sample.ts';
import { wilsonInterval } from '../../classify/evaluate/metrics.ts';
import { applyNormalizer } from '../../classify/normalize.ts';
import { chooseReject, type NoReject, type RejectChoice } from '../../classify/novelty/choose-reject.ts';
import { judge } from '../../classify/novelty/reject.ts';
import { headOf, type HeadPlan, type TrainedHead, type TrainingData } from './evaluate.ts';
import type { Work } from '../work.ts';

export const SEED = 1;

/**
 * What a rule does on the validated images: `truth` and `guess` are indices of the head's classes, truth -1 for one
 * that it has not.
 */
function falseRejects(
  unknown: readonly boolean[],
  truth: Int32Array,
  guess: Int32Array,
  validatedOn: Split,
): NonNullable<RejectResult['rule']>['validated'] {
  const known = Array.from(truth, (_, i) => i).filter((i) => truth[i]! >= 0);
  const answered = known.filter((i) => !unknown[i]!);
  const right = answered.filter((i) => guess[i] === truth[i]);
  const rejected = known.length - answered.length;
  return {
    split: validatedOn,
    images: known.length,
    rejected,
    share: rejected / known.length,
    interval: wilsonInterval(rejected, known.length),
    accuracyOfAnswered: answered.length === 0 ? null : right.length / answered.length,
  };
}

/**
 * A head that cannot be fitted on a part of the images is no error: it is a head that never answers "unknown", and says
 * why.
 */
async function choose(
  trained: TrainedHead,
  plan: HeadPlan,
  { train, parts: widths }: TrainingData,
  rate: number,
  { signal, listener }: Work,
): Promise<RejectChoice | NoReject> {
  const { X, samples } = train;
  const task = {
    normalize: plan.normalize,
    parts: widths.map(({ width }) => width),
    rate,
    seed: SEED,
    signal,
    keys: samples.map(({ path }) => path),
    groups: samples.map(({ sha256 }) => sha256),
    progress: (done: number, total: number) =>
      listener?.progress?.({ stage: 'calibrating unknown', done, total, perSecond: 0 }),
  };
  const normalized = applyNormalizer(trained.normalizer, X);
  const labels = samples.map(({ label }) => label);
  try {
    return await chooseReject(headOf(plan), trained.head, { X, normalized, labels }, task);
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'FIT_INVALID')
      return { reason: `on a part of the images: ${reasonOf(error)}` };
    throw error;
  }
}

/**
 * The trained head with a rule for answering "unknown" at a share `rate` of false rejects, calibrated on training
 * images that the heads which judged them had not seen, and measured on the validated ones. Rate 0: the head as it is.
 * Throws INTERRUPTED.
 */
export async function withReject(
  trained: TrainedHead,
  plan: HeadPlan,
  data: TrainingData,
  rate: number,
  work: Work = {},
): Promise<TrainedHead> {
  if (rate === 0) return trained;
  const choice = await choose(trained, plan, data, rate, work);
  if ('reason' in choice) return withoutRule(trained, rate, choice.reason);
  const { val, validatedOn } = data;
  const { unknown } = await judge(choice.reject, trained.head, applyNormalizer(trained.normalizer, val.X));
  return withRule(trained, choice, unknown, validatedOn);
}

/**
 * The trained head with the chosen rule; `unknown` is what that says of the validated images, in the order of the
 * head's answers.
 */
export function withRule(
  trained: TrainedHead,
  { reject, ...told }: RejectChoice & Pick<NonNullable<RejectResult['rule']>, 'comparedWith'>,
  unknown: readonly boolean[],
  validatedOn: Split,
): TrainedHead {
  const { measure, threshold, rate } = reject;
  const { truth, guess } = trained.judged;
  const validated = falseRejects(unknown, truth, guess, validatedOn);
  const rule = { measure, threshold, ...told, validated };
  return { ...trained, reject, result: { ...trained.result, reject: { rate, rule, problem: null } } };
}

/** The trained head, for which there is no rule at that rate, and why. */
export const withoutRule = (trained: TrainedHead, rate: number, problem: string): TrainedHead => ({
  ...trained,
  result: { ...trained.result, reject: { rate, rule: null, problem } },
});
