import type { Matrix } from '../../core/matrix.ts';
import * as metrics from '../evaluate/metrics.ts';
import { Z_95 } from '../evaluate/metrics.ts';
import type { TrainVal } from '../evaluate/split.ts';

/** What candidates are ranked by: higher is better, but for `logLoss`. */
export const SWEEP_SCORES = ['accuracy', 'balancedAccuracy', 'logLoss'] as const;

/** What the candidates of a sweep are ranked by. */
export type SweepScore = (typeof SWEEP_SCORES)[number];

/** One figure of a cross-validation. */
export interface CrossScore {
  /** Over all rows, each judged by a head that did not see it. */
  readonly value: number;
  /** 95 %, of what the folds' heads reach on average: it does not know that another training set gives other heads. */
  readonly interval: readonly [low: number, high: number];
  /** The figure of each fold. */
  readonly folds: readonly number[];
}

/** The figures of a candidate. */
export type CrossScores = Readonly<Record<SweepScore, CrossScore>>;

/**
 * How P (n, classes), each row by a head that did not see it, agrees with the truth over all rows. 95 % intervals take
 * rows as independent: Wilson's for accuracy, balancedAccuracyInterval for mean recall, a normal one for mean
 * log loss.
 */
export function crossScores(truth: Int32Array, P: Matrix, folds: readonly TrainVal[]): CrossScores {
  const guess = metrics.topClass(P);
  const of = (rows: readonly number[]) => ({
    truth: Int32Array.from(rows, (i) => truth[i]!),
    guess: Int32Array.from(rows, (i) => guess[i]!),
  });
  const parts = folds.map(({ val }) => of(val));
  const losses = metrics.rowLosses(truth, P);
  const meanOf = (rows: readonly number[]): number => rows.reduce((sum, i) => sum + losses[i]!, 0) / rows.length;
  const recallsOf = (part: { readonly truth: Int32Array; readonly guess: Int32Array }) =>
    metrics.classScores(metrics.confusionMatrix(part.truth, part.guess, P.cols), P.cols);
  const loss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
  const deviation = Math.sqrt(
    losses.reduce((sum, value) => sum + (value - loss) ** 2, 0) / Math.max(1, losses.length - 1),
  );
  const recalls = recallsOf({ truth, guess });
  const half = (Z_95 * deviation) / Math.sqrt(losses.length);
  return {
    accuracy: {
      value: metrics.accuracy(truth, guess),
      interval: metrics.wilsonInterval(metrics.hits(truth, guess), truth.length),
      folds: parts.map((part) => metrics.accuracy(part.truth, part.guess)),
    },
    balancedAccuracy: {
      value: metrics.balancedAccuracy(recalls),
      interval: metrics.balancedAccuracyInterval(recalls),
      folds: parts.map((part) => metrics.balancedAccuracy(recallsOf(part))),
    },
    logLoss: {
      value: loss,
      interval: [Math.max(0, loss - half), loss + half],
      folds: folds.map(({ val }) => meanOf(val)),
    },
  };
}
