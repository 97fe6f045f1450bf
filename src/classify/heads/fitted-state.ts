import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix } from '../../core/matrix.ts';
import type { FittedHead, HeadState, LearningCurve } from '../head.ts';

/** What every fitted head reports of itself; its state's JSON has exactly these, next to the head's own values. */
export type FittedFacts = Pick<
  FittedHead,
  'name' | 'params' | 'classes' | 'features' | 'converged' | 'iterations' | 'learningCurve' | 'notes'
>;

type Tensors = HeadState['tensors'];

/** What a head says whose training rows were in blocks, and are not in its state. */
export const ROWS_STAY = 'the training rows stay in the store: each prediction reads them once';

/** The state of a fitted head; `more` are values of its own, which the facts go before. */
export function stateOf(facts: FittedFacts, tensors: Tensors, more: HeadState['json'] = {}): HeadState {
  return { json: { ...more, ...facts }, tensors };
}

/** A matrix as a tensor of a head's state. */
export function tensorOf(m: Matrix): { shape: number[]; data: Float32Array } {
  return { shape: [m.rows, m.cols], data: m.data };
}

function corrupt(found: string): PermafrostError {
  return new PermafrostError('HEAD_CORRUPT', `The stored head ${found}. Train it again.`);
}

const strings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** The learning curve in a head's state, where there is one. Throws HEAD_CORRUPT. */
function curveOf(value: unknown, epochs: number): Pick<FittedFacts, 'learningCurve'> {
  if (value === undefined) return {};
  const numbers = (v: unknown): boolean =>
    Array.isArray(v) && v.length === epochs && v.every((item) => typeof item === 'number');
  const { loss, accuracy, ...more } = (value ?? {}) as Record<string, unknown>;
  const known = Object.entries(more).every(([key, v]) => /^val(Loss|Accuracy)$/.test(key) && numbers(v));
  if (!numbers(loss) || !numbers(accuracy) || !known) throw corrupt('has a damaged learningCurve');
  return { learningCurve: value as LearningCurve };
}

/** The facts in a head's state. Throws HEAD_CORRUPT when one is missing or of another type. */
export function factsOf(state: HeadState): FittedFacts {
  const { name, params, classes, features, converged, iterations, learningCurve, notes } = state.json;
  if (typeof name !== 'string') throw corrupt('has no name');
  if (typeof params !== 'object' || params === null) throw corrupt('has no params');
  if (!strings(classes) || classes.length < 2) throw corrupt('has not two class names or more');
  if (typeof features !== 'number' || typeof iterations !== 'number' || typeof converged !== 'boolean') {
    throw corrupt('lacks features, iterations or converged');
  }
  if (!strings(notes)) throw corrupt('has no notes');
  return {
    name,
    params: params as FittedHead['params'],
    classes,
    features,
    converged,
    iterations,
    ...curveOf(learningCurve, iterations),
    notes,
  };
}

/** The float32 tensor `name` as a matrix of that shape. Throws HEAD_CORRUPT. A size of undefined takes any. */
export function matrixOf(state: HeadState, name: string, rows: number | undefined, cols: number): Matrix {
  const tensor = state.tensors.get(name);
  const [foundRows, foundCols] = tensor?.shape ?? [];
  if (
    !(tensor?.data instanceof Float32Array) ||
    foundRows === undefined ||
    foundCols !== cols ||
    (rows !== undefined && rows !== foundRows) ||
    tensor.data.length !== foundRows * cols
  ) {
    throw corrupt(`needs the float32 tensor "${name}" of shape (${rows ?? 'n'}, ${cols})`);
  }
  return matrix(foundRows, foundCols, tensor.data as Float32Array<ArrayBuffer>);
}

/** The int32 tensor `name` with `length` values in [0, below). Throws HEAD_CORRUPT. */
export function indicesOf(state: HeadState, name: string, length: number, below: number): Int32Array {
  const data = state.tensors.get(name)?.data;
  if (!(data instanceof Int32Array) || data.length !== length || data.some((i) => i < 0 || i >= below)) {
    throw corrupt(`needs the int32 tensor "${name}" of ${length} values in [0, ${below})`);
  }
  return data;
}
