import type { Design, Element } from './design.ts';
import { dot, shiftRows } from './vectors.ts';

/** Weights and intercepts: the scores of a row are `scores` + unit · bias. */
export interface Point extends Element {
  /** Shape (k), in units of the problem's `unit`. */
  readonly bias: Float64Array;
}

/** Minimise mean loss + penalty · |W|² / 2 over the weights and the free intercepts. */
export interface LogisticProblem {
  readonly design: Design;
  /** Class index per row. */
  readonly y: Int32Array;
  /** Columns of scores: 1 for two classes (binomial), else the number of classes. */
  readonly k: number;
  readonly penalty: number;
  /**
   * The intercept is treated as one more weight, of a constant column as long as the rows are: then one step length suits it
   * and the weights.
   */
  readonly unit: number;
}

/** The problem in scikit-learn's scaling: C times the summed loss + |W|² / 2, all divided by C · n. */
export function logisticProblem(design: Design, y: Int32Array, k: number, C: number): LogisticProblem {
  const unit = design.spread > 0 ? Math.sqrt(design.spread) : 1;
  return { design, y, k, penalty: 1 / (C * design.rows), unit };
}

/** The inner product of two points, weights and intercepts. */
export function inner({ design }: LogisticProblem, a: Point, b: Point): number {
  return design.inner(a, b) + dot(a.bias, b.bias);
}

/** Scores with the intercepts, shape (n, k), a new array. */
export function totalScores({ unit }: LogisticProblem, { scores, bias }: Point): Float64Array {
  return shiftRows(scores.slice(), bias, unit);
}
