import type { Design, Element } from './design.ts';
import type { Loss } from './loss.ts';
import { dot, shiftRows } from '../linalg/vectors.ts';

/** Weights and intercepts: the scores of a row are `scores` + unit · bias. */
export interface Point extends Element {
  /** Shape (k), in units of the problem's `unit`. */
  readonly bias: Float64Array;
}

/** Minimise loss + penalty · |W|² / 2 over the weights and the free intercepts. */
export interface Problem {
  readonly design: Design;
  readonly loss: Loss;
  readonly penalty: number;
  /**
   * The intercept is treated as one more weight, of a constant column as long as the rows are: then one step length
   * suits it and the weights.
   */
  readonly unit: number;
}

/** What measuring along a line needs of a problem. */
export type Scale = Pick<Problem, 'loss' | 'penalty' | 'unit'> & { readonly design: Pick<Design, 'inner'> };

export function problem(design: Design, loss: Loss, penalty: number): Problem {
  return { design, loss, penalty, unit: unitOf(design) };
}

export function unitOf({ spread }: Pick<Design, 'spread'>): number {
  return spread > 0 ? Math.sqrt(spread) : 1;
}

/** No weights and no intercepts. */
export function origin({ design, loss: { k } }: Problem): Point {
  return {
    coef: new Float64Array(design.size * k),
    bias: new Float64Array(k),
    scores: new Float64Array(design.rows * k),
  };
}

/** The inner product of two points, weights and intercepts. */
export function inner({ design }: Problem, a: Point, b: Point): number {
  return design.inner(a, b) + dot(a.bias, b.bias);
}

/** Scores with the intercepts, shape (n, k), a new array. */
export function totalScores({ unit }: Pick<Problem, 'unit'>, { scores, bias }: Point): Float64Array {
  return shiftRows(scores.slice(), bias, unit);
}
