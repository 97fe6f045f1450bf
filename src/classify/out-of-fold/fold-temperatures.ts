import { matrix, row, selectRows, type Matrix } from '../../core/matrix.ts';
import { applyTemperature, fitTemperature } from '../evaluate/calibration.ts';
import type { OutOfFold } from './out-of-fold.ts';

/**
 * The temperature for a head of which this is out of fold: that of the least log loss (evaluate/calibration.ts). Of n
 * rows 1 / (n + 2) of each truth goes to the other classes, as Platt (1999) does: n right answers make no certainty.
 */
export function temperatureOf({ truth, P, leastShare }: Pick<OutOfFold, 'truth' | 'P' | 'leastShare'>): number {
  const smoothing = 1 / (truth.length + 2);
  return fitTemperature(truth, P, { smoothing, ...(leastShare !== undefined && { leastShare }) });
}

/**
 * P (n, classes) scaled as a new row would be: each fold's rows by the temperature of the other folds' rows, so that a
 * log loss of them is not too low. `folds`: numbers of the rows of P. A single fold is scaled by its own temperature.
 */
export function scaledAcross(
  truth: Int32Array,
  P: Matrix,
  folds: readonly (readonly number[])[],
  leastShare?: number,
): Matrix {
  const out = matrix(P.rows, P.cols);
  for (const [at, own] of folds.entries()) {
    const fitted = folds.length === 1 ? own : folds.flatMap((fold, other) => (other === at ? [] : fold));
    const share = leastShare === undefined ? {} : { leastShare };
    const from = { truth: Int32Array.from(fitted, (i) => truth[i]!), P: selectRows(P, fitted), ...share };
    const scaled = applyTemperature(selectRows(P, own), temperatureOf(from), leastShare);
    own.forEach((i, j) => row(out, i).set(row(scaled, j)));
  }
  return out;
}
