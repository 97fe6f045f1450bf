import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type RowSource } from '../../core/row-source.ts';
import { checkAborted, checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesThin, transposedTimesThin, type Precision } from '../linalg-thin.ts';
import { lineSearch } from './line-search.ts';
import type { LossAt, LossInParts } from './loss.ts';
import { FLOAT32_TOL, type StopRule } from './newton-cg.ts';
import { unitOf, type Scale } from './problem.ts';
import {
  addOuter,
  addScaled,
  columnSums,
  dot,
  largestAbsolute,
  scaleAdd,
  shiftRows,
  weightedRows,
} from './vectors.ts';

export interface StreamedOptimum {
  /** Shape (d, k). */
  readonly weights: Matrix;
  readonly intercept: Float32Array;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient. */
  readonly gradient: number;
  /** How often all rows were read. */
  readonly passes: number;
}

/** Weights (d, k) and intercepts (k) in units of the rows' spread. */
interface Point {
  readonly coef: Float64Array;
  readonly bias: Float64Array;
}

interface Statistics {
  readonly mean: Float64Array;
  /** Mean squared length of the centred rows. */
  readonly spread: number;
}

/** One pass: the column means and the spread, in float64. Throws FIT_INVALID for values that are not finite. */
async function statisticsOf(source: RowSource, context?: FitContext): Promise<Statistics> {
  const mean = new Float64Array(source.cols);
  let squares = 0;
  for await (const { X } of blocksOf(source)) {
    checkAborted(context);
    checkFinite(X);
    for (let i = 0; i < X.rows; i++) squares += addRow(mean, row(X, i));
  }
  for (let j = 0; j < mean.length; j++) mean[j]! /= source.rows;
  return { mean, spread: Math.max(0, squares / source.rows - dot(mean, mean)) };
}

function addRow(sums: Float64Array, values: Float32Array): number {
  let squares = 0;
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    sums[j]! += value;
    squares += value * value;
  }
  return squares;
}

/**
 * Minimises loss + penalty · |W|² / 2 over W and free intercepts as newtonCg does, on rows that are read in blocks: what is kept is a few
 * arrays of (d, k) and (n, k). A Newton step costs one pass for the gradient and one for each step of the conjugate gradients, in which
 * the scores of a block and what they add to the product are computed together. Throws FIT_INVALID, INTERRUPTED, and what reading throws.
 */
export async function streamedNewtonCg(
  source: RowSource,
  loss: LossInParts,
  penalty: number,
  { tol, maxIter }: StopRule,
  context?: FitContext,
): Promise<StreamedOptimum> {
  const { k } = loss;
  const { mean, spread } = await statisticsOf(source, context);
  let passes = 1;
  const unit = unitOf({ spread });
  const meanLength = Math.sqrt(dot(mean, mean));
  const precision: Precision = tol >= FLOAT32_TOL * unit ? 'float32' : 'float64';

  /** Total scores F of a point, and the centred product of the rows with what `turn` makes of each block's scores. */
  async function pass(
    { coef, bias }: Point,
    turn: (F: Float64Array, start: number) => Float64Array,
    p: Precision,
  ) {
    const F = new Float64Array(source.rows * k);
    const sums = new Float64Array(k);
    const product = new Float64Array(source.cols * k);
    const shift = weightedRows(mean, coef, k).map((m, c) => unit * bias[c]! - m);
    for await (const { start, X } of blocksOf(source)) {
      checkAborted(context);
      const scores = shiftRows(await timesThin(X, coef, k, p), shift, 1);
      F.set(scores, start * k);
      const turned = turn(scores, start);
      addScaled(sums, 1, columnSums(turned, k));
      addScaled(product, 1, await transposedTimesThin(X, turned, k, p));
    }
    passes++;
    addOuter(product, -1, mean, sums);
    addScaled(product, penalty, coef);
    return { F, result: { coef: product, bias: sums.map((sum) => sum * unit) } };
  }

  const inner = (a: Point, b: Point): number => dot(a.coef, b.coef) + dot(a.bias, b.bias);

  /** As conjugateGradients: the Newton step, with the change of the scores that it brings. */
  async function newtonStep(parts: ReadonlyMap<number, LossAt>, gradient: Point, enough: number) {
    const step = scaled(gradient, 0);
    const change = new Float64Array(source.rows * k);
    const residual = scaled(gradient, -1);
    const direction = scaled(gradient, -1);
    let squared = inner(residual, residual);
    for (let i = 0; i < MOST_STEPS && Math.sqrt(squared) > enough; i++) {
      const { F, result } = await pass(direction, (U, start) => parts.get(start)!.curvature(U), 'float32');
      const along = inner(direction, result);
      // Rounding, in a direction that has no curvature left.
      if (!(along > 0)) break;
      const size = squared / along;
      addPoint(step, size, direction);
      addScaled(change, size, F);
      addPoint(residual, -size, result);
      const next = inner(residual, residual);
      scaleAdd(direction.coef, next / squared, residual.coef);
      scaleAdd(direction.bias, next / squared, residual.bias);
      squared = next;
    }
    return { step, change };
  }

  let point: Point = { coef: new Float64Array(source.cols * k), bias: new Float64Array(k) };
  let first: number | undefined;
  for (let iterations = 0; ; iterations++) {
    const parts = new Map<number, LossAt>();
    const { F, result: gradient } = await pass(
      point,
      (scores, start) => {
        const here = loss.part(start, start + scores.length / k).at(scores);
        parts.set(start, here);
        return here.residuals;
      },
      precision,
    );
    const biasGradient = largestAbsolute(gradient.bias) / unit;
    const bound = Math.max(biasGradient, largestAbsolute(gradient.coef) + meanLength * biasGradient);
    const done = (converged: boolean): StreamedOptimum => {
      const weights = matrix(source.cols, k, new Float32Array(point.coef));
      const shift = weightedRows(mean, new Float64Array(weights.data), k);
      const intercept = Float32Array.from(point.bias, (b, c) => b * unit - shift[c]!);
      return { weights, intercept, converged, iterations, gradient: bound, passes };
    };
    if (bound <= tol || iterations === maxIter) return done(bound <= tol);

    const length = Math.sqrt(inner(gradient, gradient));
    first ??= length;
    const enough = length * Math.max(Math.min(0.25, Math.sqrt(length / first)), tol / bound / 2);
    const { step, change } = await newtonStep(parts, gradient, enough);
    const slope = inner(gradient, step);
    const value = [...parts.values()].reduce((sum, here) => sum + here.loss, 0);
    const scale: Scale = { loss, penalty, unit, design: { inner: (a, b) => dot(a.coef, b.coef) } };
    // The change of the scores holds the intercepts' already.
    const along = { ...step, bias: new Float64Array(k), scores: change };
    const start = { point: { ...point, scores: F }, total: F, loss: value, slope };
    const size = slope < 0 ? lineSearch(scale, start, along) : undefined;
    if (size === undefined) return done(false);
    point = { coef: point.coef.slice(), bias: point.bias.slice() };
    addPoint(point, size, step);
  }
}

/** More steps than any fit of the measured sets took; a step that ends here is still downhill. */
const MOST_STEPS = 500;

function scaled({ coef, bias }: Point, factor: number): Point {
  return { coef: coef.map((value) => factor * value), bias: bias.map((value) => factor * value) };
}

function addPoint(point: Point, factor: number, other: Point): void {
  addScaled(point.coef, factor, other.coef);
  addScaled(point.bias, factor, other.bias);
}
