import { matrix, type Matrix } from '../../../core/matrix.ts';
import { logLoss } from '../../evaluate/metrics.ts';

/** Votes that are given out: a member's weight is a multiple of 1 / ROUNDS. */
const ROUNDS = 20;

/**
 * The weights of members by what they say of rows that they were not fitted on, each (n, classes): forward selection
 * with replacement (Caruana et al. 2004, "Ensemble selection from libraries of models"). Vote after vote goes to the
 * member with which the mean of all votes has the least log loss; the number of votes with the least is taken. They sum
 * to 1; a member that helps nothing has 0.
 */
export function ensembleWeights(truth: Int32Array, answers: readonly Matrix[]): number[] {
  const [first] = answers as [Matrix, ...Matrix[]];
  const votes = answers.map(() => 0);
  const sum = matrix(first.rows, first.cols);
  let best = { loss: Infinity, weights: votes.slice() };
  for (let round = 1; round <= ROUNDS; round++) {
    const losses = answers.map((P) => logLoss(truth, meanOf(sum, P, round)));
    const chosen = losses.indexOf(Math.min(...losses));
    votes[chosen]!++;
    const { data } = answers[chosen]!;
    for (let at = 0; at < data.length; at++) sum.data[at]! += data[at]!;
    if (losses[chosen]! < best.loss) best = { loss: losses[chosen]!, weights: votes.map((count) => count / round) };
  }
  return best.weights;
}

/** The mean of `count` answers: those in `sum` and one more. */
function meanOf(sum: Matrix, P: Matrix, count: number): Matrix {
  return { ...P, data: P.data.map((p, at) => (p + sum.data[at]!) / count) };
}
