import type { OutOfFold } from '../out-of-fold/out-of-fold.ts';
import { fitsOn, type Refits } from '../out-of-fold/refits.ts';
import { checkAborted } from '../checks.ts';
import { applyTemperature } from '../evaluate/calibration.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { scaledHead } from '../heads/scaled-head.ts';
import { expectedRate } from './false-rejects.ts';
import {
  chooseMeasure,
  classesLeftOut,
  leftOutClass,
  type LeftOutClass,
  type LeftOutTrial,
  type ScoresByMeasure,
} from './left-out-classes.ts';
import { keptScores } from './kept-scores.ts';
import type { Reject } from './reject.ts';
import { keepsRate, rejectThreshold, rowsForRate } from './reject-threshold.ts';
import {
  comparesRows,
  doubts,
  energies,
  MEASURES,
  noveltyScoresByMeasure,
  referenceOf,
  rowsOf,
  type Measure,
} from './novelty-score.ts';

/** Training rows up to this size, 64 MiB, may be kept in a head's file to measure distances to. */
export const MOST_REFERENCE_VALUES = 2 ** 24;

export interface RejectTask {
  /** Share of known images that may be called unknown, in (0, 1). */
  readonly rate: number;
  /** Of the classes that are left out, where there are more than ten. */
  readonly seed: number;
  readonly context?: FitContext | undefined;
  /** Called after each class that was left out. */
  readonly progress?: (done: number, total: number) => void;
}

export interface RejectChoice {
  readonly reject: Reject;
  /** Known rows that the threshold was calibrated on: each judged by a head that was not fitted on it, or by none. */
  readonly calibratedOn: number;
  /** Mean over the classes left out in turn; empty for fewer than three classes. */
  readonly measures: readonly { readonly measure: Measure; readonly auroc: number }[];
  /** Each class left out, by the chosen measure. */
  readonly leftOut: readonly LeftOutClass[];
  /** Scores of the known rows by the chosen measure, where they are the judged rows out of fold, in that order. */
  readonly scores?: Float64Array;
}

/** Why there can be no reject. */
export interface NoReject {
  readonly reason: string;
}

/**
 * The measure that is taken unless another is clearly better (bench/classify/unknown-rate.mjs). The energy of two
 * classes is a function of the one logit, as the top probability is.
 */
const defaultMeasure = (head: FittedHead): Measure =>
  head.logits !== undefined && head.classes.length > 2 ? 'energy' : 'mean-distance';

/**
 * Chooses how and from where on `head`, fitted on all rows, rejects unknown images. The threshold comes from known rows
 * out of fold (`rejectThreshold`). Each class is left out in turn: heads without it score its rows and held-out known
 * rows, at whose own threshold it is told how many of the class are rejected. Ten fits at most. Throws what the fits
 * throw, and INTERRUPTED.
 */
export async function chooseReject(
  head: FittedHead,
  refits: Refits,
  found: OutOfFold,
  { rate, seed, context, progress }: RejectTask,
): Promise<RejectChoice | NoReject> {
  const known = found.rows.length;
  const needed = rowsForRate(rate);
  if (known < needed)
    return {
      reason: `${known} training images could be judged by a head that knew their class without having seen them; ${needed} are needed to promise ${percent(rate)} false rejects`,
    };
  const { normalized, labels } = refits;
  const usable = MEASURES.filter(
    (measure) =>
      (measure !== 'energy' || head.logits !== undefined) &&
      (!comparesRows(measure) || normalized.data.length <= MOST_REFERENCE_VALUES),
  );
  const scores = await scoresOutOfFold(usable, refits, found, head.temperature);
  const measures = usable.filter((measure) => keepsRate(scores.get(measure)!, rate));
  const wanted = defaultMeasure(head);
  const fallback = measures.includes(wanted) ? wanted : measures[0];
  if (fallback === undefined)
    return { reason: `so many training images are equally strange that no threshold rejects ${percent(rate)} of them` };

  const leftOut = classesLeftOut(found.classes, seed);
  const plans = leftOut.flatMap((label, at) => {
    const { train, val } = found.folds[at % found.folds.length]!;
    const others = train.filter((i) => labels[i] !== label);
    const classes = new Set(others.map((i) => labels[i]!));
    const judged = val.filter((i) => classes.has(labels[i]!));
    // Classes of a row or two may leave nothing to compare in this fold.
    if (classes.size < 2 || judged.length === 0) return [];
    return [{ label, others, judged, own: [...train, ...val].filter((i) => labels[i] === label) }];
  });
  const trials: LeftOutTrial[] = [];
  const fits = fitsOn(
    refits,
    plans.map(({ others }) => others),
  );
  for await (const refit of fits) {
    checkAborted(context);
    const { label, judged, own } = plans[trials.length]!;
    const one = scaledHead(refit.head, head.temperature);
    const byMeasure = await noveltyScoresByMeasure(measures, one, refit.seen([...judged, ...own]), refit.own);
    const part = (from: number, to?: number): ScoresByMeasure =>
      new Map([...byMeasure].map(([measure, all]) => [measure, all.slice(from, to)]));
    trials.push({ label, known: part(0, judged.length), unknown: part(judged.length) });
    progress?.(trials.length, plans.length);
  }

  const { measure, measures: ranked } = chooseMeasure(measures, trials, fallback);
  const share = expectedRate(known, rate);
  return {
    reject: {
      measure,
      threshold: rejectThreshold(scores.get(measure)!, rate)!,
      rate,
      reference: referenceOf(measure, rowsOf(normalized, labels)),
      calibration: keptScores(scores.get(measure)!, rate),
    },
    calibratedOn: known,
    measures: ranked,
    leftOut: trials.map((one) => leftOutClass(measure, one, share)),
    scores: scores.get(measure)!,
  };
}

/** The judged rows' novelty scores by each measure: of the head's answers, and of the rows of each fold. */
async function scoresOutOfFold(
  measures: readonly Measure[],
  refits: Refits,
  { folds, P, logits, leastShare }: OutOfFold,
  temperature = 1,
): Promise<ScoresByMeasure> {
  const ofAnswers = new Map<Measure, () => Float64Array>([
    ['energy', () => energies({ ...logits!, data: logits!.data.map((s) => s / temperature) })],
    ['top-probability', () => doubts(temperature === 1 ? P : applyTemperature(P, temperature, leastShare))],
  ]);
  const ofRows = measures.filter((measure) => !ofAnswers.has(measure));
  const parts: Map<Measure, Float64Array>[] = [];
  for (const { train, val } of folds) {
    const part = await refits.seenBy(train);
    parts.push(await noveltyScoresByMeasure(ofRows, undefined, part.seen(val), part.own));
  }
  return new Map(
    measures.map((measure) => [
      measure,
      ofAnswers.get(measure)?.() ?? Float64Array.from(parts.flatMap((part) => [...part.get(measure)!])),
    ]),
  );
}

/** A share in words. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
