import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { rowRange } from '../../core/matrix.ts';
import { blocksOf, gatheredRows, joinedBlocks } from '../../core/rows.ts';
import type { Split } from '../../core/sample.ts';
import { wilsonInterval } from '../../classify/evaluate/metrics.ts';
import { stratifiedKFold } from '../../classify/evaluate/split.ts';
import { normalizedRows } from '../../classify/normalize.ts';
import {
  chooseReject,
  MOST_REFERENCE_VALUES,
  type NoReject,
  type RejectChoice,
} from '../../classify/novelty/choose-reject.ts';
import {
  chanceOfRejects,
  OUT_OF_FOLD_EFFECT,
  rateInterval,
  type Calibration,
} from '../../classify/novelty/false-rejects.ts';
import { detectUnknown, type Reject } from '../../classify/novelty/reject.ts';
import { chooseSampledReject, drawRows, type SampledRows } from '../../classify/novelty/sampled-reject.ts';
import type { Strangeness } from '../../results/answer-results.ts';
import type { RejectResult, Unusual } from '../../results/head-result.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import { BASE_BYTES } from '../memory.ts';
import type { Work } from '../work.ts';
import type { TrainingData } from './data.ts';
import type { OutOfFoldWork } from './judge-out-of-fold.ts';
import type { TrainedHead } from './trained-head.ts';
import { watched } from './watched-rows.ts';

type Rule = NonNullable<RejectResult['rule']>;
type Choice = (RejectChoice & Pick<Rule, 'comparedWith'>) | NoReject;

const SEED = 1;
const STAGE = 'calibrating unknown';
/** Rows to calibrate the threshold on: the false rejects then vary by a quarter of a percent about 5 %. */
const CALIBRATED_ON = 8192;
/** Bytes that a value of the sample takes: kept, as the search prepares it, and at work. */
const VALUE_BYTES = 12;

/**
 * The trained head with a rule for "unknown" at a share `rate` of false rejects, measured on the validated images; or
 * why there is none. In memory, heads that had not seen the training images calibrate it; in blocks, distances among
 * them do. Rate 0: the head as it is. Throws what reading throws, INTERRUPTED.
 */
export async function withReject(
  trained: TrainedHead,
  data: TrainingData,
  outOfFold: OutOfFoldWork,
  rate: number,
  work: Work = {},
): Promise<TrainedHead> {
  if (rate === 0) return trained;
  // Their rows out of fold would need their views out of fold.
  if (trained.result.views !== undefined)
    return withoutRule(trained, rate, 'that is not calibrated on heads that are trained on views');
  const choice =
    data.train.matrix === undefined
      ? await bySample(trained, data, rate, work)
      : await byFolds(trained, outOfFold, rate, work);
  if ('reason' in choice) return withoutRule(trained, rate, choice.reason);
  const { reject, leftOut, scores, ...found } = choice;
  const judged = { ...trained, reject };
  const { val, validatedOn } = data;
  const strange = await unknownRows(judged, val);
  const { measure, threshold } = reject;
  const { calibratedOn } = found;
  const effect = data.train.matrix === undefined ? 1 : OUT_OF_FOLD_EFFECT;
  const calibration = { calibratedOn, rate, effect };
  const { classes } = trained.head;
  const facts = { classes: classes.length, validatedOn, calibration };
  const rejects = falseRejects(strange, trained.judged, facts);
  const strangest = await strangestOf(strange, trained, val);
  const rule: Rule = {
    measure,
    threshold,
    ...found,
    rateInterval: rateInterval(calibration),
    leftOut: leftOut.map(({ label }) => label),
    leftOutRejected:
      leftOut.length === 0 ? null : leftOut.reduce((sum, { rejected }) => sum + rejected, 0) / leftOut.length,
    leftOutClasses: leftOut,
    validated: { ...rejects, strangest },
  };
  return {
    ...judged,
    ...(scores && { noveltyOutOfFold: scores }),
    result: { ...trained.result, reject: { rate: reject.rate, rule, problem: null } },
  };
}

/** A head that cannot be fitted on a part of the images is no error: it never answers "unknown", and says why. */
async function byFolds(
  { head }: TrainedHead,
  { refits, judged, problem }: OutOfFoldWork,
  rate: number,
  work: Work,
): Promise<Choice> {
  if (refits === undefined || judged === undefined) return { reason: problem ?? 'no training image was judged' };
  const context = work.signal && { signal: work.signal };
  try {
    return await chooseReject(head, refits, judged.found, {
      rate,
      seed: SEED,
      context,
      progress: reportProgress(work),
    });
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'FIT_INVALID')
      return { reason: `on a part of the images: ${reasonOf(error)}` };
    throw error;
  }
}

/** By distances to a sample of the training images, calibrated on others; copies of a picture stay on one side. */
async function bySample(
  { normalizer }: TrainedHead,
  { train, val, bound }: TrainingData,
  rate: number,
  work: Work,
): Promise<Choice> {
  const room = Math.max(0, bound - BASE_BYTES - train.peakBytes - val.peakBytes);
  const values = Math.min(MOST_REFERENCE_VALUES, Math.floor(room / VALUE_BYTES));
  const compared = Math.floor(values / train.cols);
  const calibrated = Math.min(compared, CALIBRATED_ON);
  const drawn = compared === 0 ? [] : drawRows(train.labels, train.places, compared + calibrated, SEED);
  const found = await train.samplesOf(drawn.map((i) => train.places[i]!));
  const samples = drawn.map((i) => found.get(train.places[i]!)!);
  const nSplits = Math.max(2, Math.floor(drawn.length / Math.max(1, calibrated)));
  if (drawn.length < 2 * nSplits)
    return { reason: `the memory allows a sample of ${drawn.length} images, which is too few` };
  const labels = samples.map(({ label }) => label);
  const [fold] = stratifiedKFold(labels, {
    keys: samples.map(({ path }) => path),
    groups: samples.map(({ sha256 }) => sha256),
    nSplits,
    seed: SEED,
  });
  const order = [...fold!.train, ...fold!.val];
  const [watchedTrain] = watched([train], () => STAGE, work);
  const X = await gatheredRows(
    normalizedRows(normalizer, watchedTrain!),
    order.map((i) => drawn[i]!),
  );
  const part = (from: number, to: number): SampledRows => ({
    X: rowRange(X, from, to),
    labels: order.slice(from, to).map((i) => labels[i]!),
  });
  const reference = part(0, fold!.train.length);
  const choice = await chooseSampledReject(reference, part(fold!.train.length, order.length), {
    rate,
    seed: SEED,
    context: work.signal && { signal: work.signal },
    progress: reportProgress(work),
  });
  return 'reason' in choice ? choice : { ...choice, comparedWith: reference.X.rows };
}

const reportProgress =
  ({ listener }: Work) =>
  (done: number, total: number): void =>
    listener?.progress?.({ stage: STAGE, done, total, perSecond: 0 });

/** The rows of `val` that are called unknown, by their numbers in the order of the paths, and how strange they are. */
async function unknownRows(
  { head, normalizer, reject }: TrainedHead & { readonly reject: Reject },
  val: StoredRows,
): Promise<ReadonlyMap<number, Strangeness>> {
  const { measure, threshold, rate } = reject;
  const found = new Map<number, Strangeness>();
  for await (const { start, X } of blocksOf(joinedBlocks(normalizedRows(normalizer, val)))) {
    const { scores, unknown, lessStrange } = await detectUnknown(reject, head, X);
    for (const [j, isUnknown] of unknown.entries())
      if (isUnknown)
        found.set(val.places[start + j]!, {
          measure,
          threshold,
          rate,
          value: scores[j]!,
          lessStrange: lessStrange[j]!,
        });
  }
  return found;
}

/** Images of known classes that are named, the strangest of those that are called unknown. */
const MOST_NAMED = 3;

async function strangestOf(
  strange: ReadonlyMap<number, Strangeness>,
  { head: { classes }, judged: { truth, guess } }: TrainedHead,
  val: StoredRows,
): Promise<Unusual[]> {
  const named = [...strange]
    .filter(([place]) => truth[place]! >= 0 && truth[place]! < classes.length)
    .sort(([a, one], [b, other]) => other.value - one.value || a - b)
    .slice(0, MOST_NAMED);
  const samples = await val.samplesOf(named.map(([place]) => place));
  return named.map(([place, strangeness]) => {
    const { path, label } = samples.get(place)!;
    return { path, label, guess: classes[guess[place]!]!, strangeness };
  });
}

/** What a rule does on the validated images: `truth` and `guess` index `classes`, or are of others. */
function falseRejects(
  unknown: { has(place: number): boolean },
  { truth, guess }: TrainedHead['judged'],
  {
    classes,
    validatedOn,
    calibration,
  }: { readonly classes: number; readonly validatedOn: Split; readonly calibration: Calibration },
): Rule['validated'] {
  const known = Array.from(truth.keys()).filter((i) => truth[i]! >= 0 && truth[i]! < classes);
  const isRight = (i: number): boolean => guess[i] === truth[i];
  const answered = known.filter((i) => !unknown.has(i));
  const right = answered.filter(isRight);
  const rejected = known.length - answered.length;
  return {
    split: validatedOn,
    images: known.length,
    rejected,
    share: rejected / known.length,
    interval: wilsonInterval(rejected, known.length),
    chance: chanceOfRejects(rejected, known.length, calibration),
    accuracyOfAnswered: answered.length === 0 ? null : right.length / answered.length,
    rejectedRight: known.filter(isRight).length - right.length,
  };
}

/** The trained head, for which there is no rule at that rate, and why. */
const withoutRule = (trained: TrainedHead, rate: number, problem: string): TrainedHead => ({
  ...trained,
  result: { ...trained.result, reject: { rate, rule: null, problem } },
});
