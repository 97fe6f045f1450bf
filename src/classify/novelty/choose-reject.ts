import { selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FittedHead, Head } from '../head.ts';
import { classesOf } from '../labels.ts';
import { applyNormalizer, fitNormalizer, type Normalization } from '../normalize.ts';
import { stratifiedKFold } from '../evaluate/split.ts';
import {
  chooseMeasure,
  classesLeftOut,
  DEFAULT_MEASURE,
  type LeftOutTrial,
  type ScoresByMeasure,
} from './left-out-classes.ts';
import type { Reject } from './reject.ts';
import { rejectThreshold, rowsForRate } from './reject-threshold.ts';
import { comparesRows, MEASURES, referenceOf, noveltyScoresByMeasure, type Measure } from './novelty-score.ts';

const FOLDS = 5;
/** Training rows up to this size, 64 MiB, may be kept in a head's file to measure distances to. */
export const MOST_REFERENCE_VALUES = 2 ** 24;

export interface RejectTask {
  readonly normalize: Normalization;
  /** Widths of what stands side by side in X, each normalised by itself; default: all columns are one. */
  readonly parts?: readonly number[];
  /** Share of known images that may be called unknown, in (0, 1). */
  readonly rate: number;
  /** A stable name for each row, and which rows are copies of one picture: copies are in one fold. */
  readonly keys: readonly string[];
  readonly groups: readonly string[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each fit. */
  readonly progress?: (done: number, total: number) => void;
}

export interface RejectChoice {
  readonly reject: Reject;
  /** Known rows that the threshold was calibrated on: each judged by a head that was not fitted on it, or by none. */
  readonly calibratedOn: number;
  /** Mean over the classes left out in turn; empty for fewer than three classes. */
  readonly measures: readonly { readonly measure: Measure; readonly auroc: number }[];
  readonly leftOut: readonly string[];
  /** The part of their rows above the threshold. */
  readonly leftOutRejected: number | null;
}

/** Why there can be no reject. */
export interface NoReject {
  readonly reason: string;
}

/**
 * Chooses how and from where on `maker`'s heads reject unknown images. Each class is left out in turn; the measure with
 * the highest mean AUROC of its rows against held-out known rows is taken (two classes: DEFAULT_MEASURE). The threshold
 * comes from known rows out of fold (`rejectThreshold`). `head` is fitted on all of X, as `normalized`; X (n, d) is not
 * normalised. At most 15 fits. Throws what the fits throw, and INTERRUPTED.
 */
export async function chooseReject(
  maker: Head,
  head: FittedHead,
  { X, normalized, labels }: { X: Matrix; normalized: Matrix; labels: readonly string[] },
  task: RejectTask,
): Promise<RejectChoice | NoReject> {
  const { rate, keys, groups, seed, signal, normalize } = task;
  const needed = Math.max(2, rowsForRate(rate));
  if (X.rows < needed) {
    return {
      reason: `${X.rows} training images are too few to promise ${percent(rate)} false rejects; ${needed} are needed`,
    };
  }
  const classes = classesOf(labels);
  const folds = stratifiedKFold(labels, { keys, groups, nSplits: Math.min(FOLDS, X.rows), seed });
  const leftOut = classesLeftOut(classes, seed);
  const measures = MEASURES.filter(
    (measure) =>
      (measure !== 'energy' || head.logits !== undefined) &&
      (!comparesRows(measure) || X.data.length <= MOST_REFERENCE_VALUES),
  );
  const total = folds.length + leftOut.length;
  let done = 0;

  const context = signal && { signal };
  // What is done row by row is the same whatever rows a fit sees: then all fits can share their work.
  const byRow = normalize !== 'standard';
  const prepared = byRow ? await maker.prepare?.(normalized, context) : undefined;

  /** Fits on some rows; judges others with every measure. Those of classes that were not fitted on are apart. */
  async function trial(fitted: readonly number[], judged: readonly number[]) {
    checkAborted(context);
    const own = fitted.map((i) => labels[i]!);
    const seen = new Set(own);
    const part = (rows: readonly number[]): Matrix => selectRows(byRow ? normalized : X, rows);
    const rows = part(fitted);
    const normalizer = byRow ? undefined : await fitNormalizer(normalize, matrixRows(rows), task.parts);
    const asSeen = (some: Matrix): Matrix => (normalizer ? applyNormalizer(normalizer, some) : some);
    const known = asSeen(rows);
    const one = await (prepared ? prepared(fitted, own) : maker.fit(matrixRows(known), own, context));
    const values = await noveltyScoresByMeasure(measures, one, asSeen(part(judged)), known, own);
    const only = (wanted: boolean): ScoresByMeasure =>
      new Map(
        [...values].map(([measure, all]) => [
          measure,
          all.filter((_, at) => seen.has(labels[judged[at]!]!) === wanted),
        ]),
      );
    task.progress?.(++done, total);
    return { known: only(true), unknown: only(false) };
  }

  const outOfFold: ScoresByMeasure[] = [];
  for (const { train, val } of folds) {
    if (new Set(train.map((i) => labels[i]!)).size < 2)
      return { reason: 'without a fifth of the images a single class is left to train on' };
    outOfFold.push((await trial(train, val)).known);
  }
  const trials: LeftOutTrial[] = [];
  for (const [at, label] of leftOut.entries()) {
    const { train, val } = folds[at % folds.length]!;
    const others = train.filter((i) => labels[i] !== label);
    const own = [...train, ...val].filter((i) => labels[i] === label);
    // Classes of a row or two may leave nothing to compare in this fold.
    if (classesOf(others.map((i) => labels[i]!)).length < 2) continue;
    const judged = await trial(others, [...val.filter((i) => labels[i] !== label), ...own]);
    if (judged.known.get(DEFAULT_MEASURE)!.length > 0) trials.push(judged);
  }
  const { measure, measures: ranked, rejectedAbove } = chooseMeasure(measures, trials);
  const known = outOfFold.flatMap((values) => [...values.get(measure)!]);
  const threshold = rejectThreshold(known, rate);
  if (threshold === undefined) {
    return {
      reason: `${known.length} training images could be judged by a head that knew their class without having seen them; ${needed} are needed to promise ${percent(rate)} false rejects`,
    };
  }
  return {
    reject: { measure, threshold, rate, reference: referenceOf(measure, normalized, labels) },
    calibratedOn: known.length,
    measures: ranked,
    leftOut,
    leftOutRejected: rejectedAbove(threshold),
  };
}

/** A share in words. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
