import { selectRows, type Matrix } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { classesOf, encodeLabels } from '../labels.ts';
import { percent, type NoReject, type RejectChoice } from './choose-reject.ts';
import { expectedRate } from './false-rejects.ts';
import { keptScores } from './kept-scores.ts';
import { chooseMeasure, classesLeftOut, leftOutClass, type LeftOutTrial } from './left-out-classes.ts';
import { keepsRate, rejectThreshold, rowsForRate } from './reject-threshold.ts';
import { noveltyScoresByMeasure, referenceOf, rowsOf, type Measure } from './novelty-score.ts';

/** Measures of the rows alone: a head's answers on rows that it was fitted on are not those on others. */
export const ROW_MEASURES: readonly Measure[] = ['first-neighbor', 'fifth-neighbor', 'mean-distance'];

/** Rows of each side that are judged for a class left out. */
const MOST_JUDGED = 1024;

/** Normalised rows and their labels. */
export interface SampledRows {
  readonly X: Matrix;
  readonly labels: readonly string[];
}

/**
 * Chooses how unknown images are rejected by their distance to `reference`, some training rows, and from where on by
 * `calibration`, others that are no copies of those. Distances do not depend on the head: the split conformal threshold
 * holds although it was fitted on all rows (`rejectThreshold`). Each class is left out of the reference in turn:
 * `mean-distance` is taken unless another measure is clearly better. No fits. Throws INTERRUPTED.
 */
export async function chooseSampledReject(
  reference: SampledRows,
  calibration: SampledRows,
  { rate, seed, context, progress }: SampledTask,
): Promise<RejectChoice | NoReject> {
  const needed = rowsForRate(rate);
  if (calibration.X.rows < needed || reference.X.rows === 0) {
    return {
      reason: `${calibration.X.rows} training images beside those that are compared with are too few to promise ${percent(rate)} false rejects; ${needed} are needed`,
    };
  }
  const classes = classesOf(reference.labels);
  const leftOut = classesLeftOut(classes, seed);
  const known = new Set(classes);
  const total = leftOut.length + 1;
  const trials: LeftOutTrial[] = [];
  const all = await noveltyScoresByMeasure(
    ROW_MEASURES,
    undefined,
    calibration.X,
    rowsOf(reference.X, reference.labels),
  );
  const measures = ROW_MEASURES.filter((measure) => keepsRate(all.get(measure)!, rate));
  const fallback = measures.includes('mean-distance') ? 'mean-distance' : measures[0];
  if (fallback === undefined)
    return { reason: `so many training images are equally strange that no threshold rejects ${percent(rate)} of them` };
  for (const [at, label] of leftOut.entries()) {
    checkAborted(context);
    const own = someOf(rowsWhere(calibration, (one) => one === label));
    const others = someOf(rowsWhere(calibration, (one) => one !== label && known.has(one)));
    if (own.length === 0 || others.length === 0) continue;
    const kept = rowsWhere(reference, (one) => one !== label);
    const rest = { X: reference.X, rows: kept, labels: kept.map((i) => reference.labels[i]!) };
    const scoresOf = (rows: readonly number[]) =>
      noveltyScoresByMeasure(measures, undefined, selectRows(calibration.X, rows), rest);
    trials.push({ label, unknown: await scoresOf(own), known: await scoresOf(others) });
    progress?.(at + 1, total);
  }
  const { measure, measures: ranked } = chooseMeasure(measures, trials, fallback);
  const compared = referenceOf(measure, rowsOf(reference.X, reference.labels));
  const threshold = rejectThreshold(all.get(measure)!, rate)!;
  progress?.(total, total);
  const share = expectedRate(calibration.X.rows, rate);
  return {
    reject: { measure, threshold, rate, reference: compared, calibration: keptScores(all.get(measure)!, rate) },
    calibratedOn: calibration.X.rows,
    measures: ranked,
    leftOut: trials.map((one) => leftOutClass(measure, one, share)),
  };
}

export interface SampledTask {
  /** Share of known images that may be called unknown, in (0, 1). */
  readonly rate: number;
  readonly seed: number;
  readonly context?: FitContext | undefined;
  readonly progress?: (done: number, total: number) => void;
}

/** The rows of some labels. */
const rowsWhere = ({ labels }: SampledRows, wanted: (label: string) => boolean): number[] =>
  labels.flatMap((label, i) => (wanted(label) ? [i] : []));

/** At most MOST_JUDGED of some rows, evenly among them. */
function someOf(rows: readonly number[]): number[] {
  const count = Math.min(rows.length, MOST_JUDGED);
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]!);
}

/**
 * Numbers of about `wanted` rows, drawn by a seed whatever the order in which they are stored: of each class its share,
 * and two at least. `places` number the rows in an order that does not change.
 */
export function drawRows(labels: readonly string[], places: ArrayLike<number>, wanted: number, seed: number): number[] {
  const { classes, indices } = encodeLabels(labels);
  const rows = classes.map(() => [] as number[]);
  indices.forEach((c, i) => rows[c]!.push(i));
  return rows.flatMap((own) => {
    own.sort((a, b) => places[a]! - places[b]!);
    const count = Math.min(own.length, Math.max(2, Math.round((own.length * wanted) / labels.length)));
    return random(seed).shuffle(own).slice(0, count);
  });
}
