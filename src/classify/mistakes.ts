import type { Matrix } from '../core/matrix.ts';
import { topClass } from './metrics.ts';

/** A row that was given another class than its own. */
export interface Mistake {
  readonly row: number;
  /** Class indices. */
  readonly truth: number;
  readonly predicted: number;
  /** Probability of the predicted class. */
  readonly probability: number;
}

/** The k surest mistakes among the rows of P (n, classes), surest first, equals in the order of their rows. */
export function surestMistakes(truth: Int32Array, P: Matrix, k: number): Mistake[] {
  const predicted = topClass(P);
  return Array.from(truth, (c, i) => ({
    row: i,
    truth: c,
    predicted: predicted[i]!,
    probability: P.data[i * P.cols + predicted[i]!]!,
  }))
    .filter((mistake) => mistake.truth !== mistake.predicted)
    .sort((a, b) => b.probability - a.probability || a.row - b.row)
    .slice(0, k);
}
