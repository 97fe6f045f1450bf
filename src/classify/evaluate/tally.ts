import type { Matrix } from '../../core/matrix.ts';
import { calibrationCount, type CalibrationCurve } from './calibration-bins.ts';
import { clippedLog, topClass } from './metrics.ts';
import { surestMistakes, type MisclassifiedRow } from './mistakes.ts';

/** What a head said of rows whose classes are known, taken up block by block: sixteen bytes a row are kept. */
export interface Tally {
  /** The head's classes, and behind them those that it does not know. */
  readonly classes: readonly string[];
  /** True and predicted class of each row (rows): indices into `classes`, -1 for a true one that is none of them. */
  readonly truth: Int32Array;
  readonly guess: Int32Array;
  /** -ln(probability of the true class) of each row (rows). */
  readonly losses: Float64Array;
  /** Adds P (n, classes), each row once: row i has the class labels[i] and is row indices[i] of the tally. */
  add(P: Matrix, labels: readonly string[], indices: ArrayLike<number>): void;
  /** Mean of -ln(probability of the true class), as `logLoss`, summed in the order in which rows came. */
  logLoss(): number;
  calibration(): CalibrationCurve;
  /** The surest mistakes, `row` being the tally's. */
  mistakes(): MisclassifiedRow[];
}

/**
 * A tally of `rows` rows that keeps the `mistakes` surest mistakes. `others` are classes that the head does not know:
 * it is wrong about all of their rows, at a probability of 0.
 */
export function tally(known: readonly string[], rows: number, mistakes: number, others: readonly string[] = []): Tally {
  const classes = [...known, ...others];
  const indexOf = new Map(classes.map((label, c) => [label, c]));
  const [truth, guess] = [new Int32Array(rows), new Int32Array(rows)];
  const losses = new Float64Array(rows);
  const calibration = calibrationCount();
  const surest = surestMistakes(mistakes);
  let loss = 0;
  let rowsSeen = 0;
  return {
    classes,
    truth,
    guess,
    losses,
    add(P, labels, indices) {
      topClass(P).forEach((predicted, i) => {
        const row = indices[i]!;
        const own = (truth[row] = indexOf.get(labels[i]!) ?? -1);
        guess[row] = predicted;
        const probability = P.data[i * P.cols + predicted]!;
        losses[row] = -clippedLog(own < 0 || own >= P.cols ? 0 : P.data[i * P.cols + own]!);
        loss += losses[row];
        calibration.add(probability, predicted === own);
        if (predicted !== own) surest.add({ row, truth: own, predicted, probability });
        rowsSeen++;
      });
    },
    logLoss: () => loss / rowsSeen,
    calibration: () => calibration.result(),
    mistakes: () => surest.list(),
  };
}
