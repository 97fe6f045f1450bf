import type { FloatType } from '../linalg/thin.ts';
import { addScaled, scaleAdd } from '../linalg/vectors.ts';

/** Weights and intercepts as an objective holds them. What a solver does to one of the arrays it does to all three. */
export interface Vector {
  /** Coefficients of the weights in the basis of the objective, shape (size, k), row-major. */
  readonly coef: Float64Array;
  /** Intercepts, shape (k), in units of the intercept scale. */
  readonly bias: Float64Array;
  /** The logits of the centred rows without intercepts, shape (n, k), where they are kept; else empty. */
  readonly logits: Float64Array;
}

/** A vector whose logits may not be known. */
export type Weights = Pick<Vector, 'coef' | 'bias'> & Partial<Vector>;

/** A length that a line search tried. */
export interface Trial {
  readonly size: number;
  /** The objective there, and its derivative along the step. */
  readonly value: number;
  readonly slope: number;
  /** Ends the search there. */
  accept(): Promise<ObjectiveAt>;
}

/** The objective along a step from a point. */
export interface Line {
  readonly value: number;
  /** The derivative along the step at its start. */
  readonly slope: number;
  /** A change of the objective below this part of it is rounding. */
  readonly rounding: number;
  /** The slope that may be left, of that at the start: at the whole step, and at a length that is looked for. */
  readonly flat: { readonly whole: number; readonly found: number };
  readonly at: (size: number) => Promise<Trial>;
  /** Where trials are expensive: about the lowest point, sought where the whole step will not do. */
  readonly lowest?: () => Promise<number>;
}

/** A Newton step by factorisation. */
export interface DirectStep {
  /** How many steps of conjugate gradients take as long. */
  readonly cost: number;
  /** Undefined where the system is singular to rounding. */
  solve(): Promise<Weights | undefined>;
}

/** The objective at one point. */
export interface ObjectiveAt {
  readonly point: Vector;
  readonly value: number;
  readonly gradient: Vector;
  /** Applied to a direction. */
  readonly hessian: () => (direction: Vector) => Promise<Vector>;
  /** About the inverse of the Hessian, applied to a residual. */
  readonly precondition?: (residual: Vector) => Promise<Vector>;
  /** Undefined where there is none, or conjugate gradients are always quicker. */
  direct(): DirectStep | undefined;
  along(step: Weights): Promise<Line>;
}

/**
 * f(W, b) = Σᵢ sᵢ·loss(yᵢ, (xᵢ - mean)·W + b) + penalty/2·‖W‖², sample weights s that sum to 1, over W (d, k) and free
 * intercepts b (k). An intercept is the weight of a constant column as long as the rows (the intercept scale), so that
 * one step length suits all.
 */
export interface Objective {
  readonly penalty: number;
  readonly interceptScale: number;
  /** Euclidean norm of the column means, 0 for centred features. */
  readonly meanNorm: number;
  /** The relative duality gap that a converged fit may leave; undefined where the gradient alone decides. */
  readonly gapTolerance?: number;
  /** The part of the gradient that a Newton step may leave at most. */
  forcing(warm: boolean): number;
  /** No weights and no intercepts. */
  origin(): Vector;
  inner(a: Vector, b: Vector): number;
  /** An upper bound of the largest absolute weight of a gradient. */
  largest(gradient: Vector): number;
  /** A closer one, where that is rough; above `tol` any larger value will do as well. */
  closer?(gradient: Vector, tol: number): Promise<number>;
  at(point: Weights, precision: FloatType): Promise<ObjectiveAt>;
}

/** factor · vector, a new vector. */
export function scaled({ coef, bias, logits }: Vector, factor: number): Vector {
  const times = (values: Float64Array): Float64Array => values.map((value) => factor * value);
  return { coef: times(coef), bias: times(bias), logits: times(logits) };
}

/** vector += factor · other, in place. */
export function addVector(vector: Vector, factor: number, other: Vector): void {
  addScaled(vector.coef, factor, other.coef);
  addScaled(vector.bias, factor, other.bias);
  addScaled(vector.logits, factor, other.logits);
}

/** vector = other + factor · vector, in place. */
export function scaleAddVector(vector: Vector, factor: number, other: Vector): void {
  scaleAdd(vector.coef, factor, other.coef);
  scaleAdd(vector.bias, factor, other.bias);
  scaleAdd(vector.logits, factor, other.logits);
}

/** vector + factor · other, a new vector. */
export function moved(vector: Vector, factor: number, other: Vector): Vector {
  const sum = scaled(vector, 1);
  addVector(sum, factor, other);
  return sum;
}
