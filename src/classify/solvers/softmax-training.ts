import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { matrix, row } from '../../core/matrix.ts';
import type { Random } from '../../core/random.ts';
import type { LearningCurve } from '../../core/results.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesTransposed, transposedTimes } from '../linalg.ts';
import { adam } from './adam.ts';
import { evaluate, residuals, type Evaluation } from './logistic-loss.ts';
import { columnSums, shiftRows } from './vectors.ts';

/** A dense layer, class-major: scores are X · weightsᵀ + bias. */
export interface Dense {
  /** Shape (k, d). */
  readonly weights: Matrix;
  /** Shape (k). */
  readonly bias: Float32Array;
}

export interface SoftmaxTraining {
  readonly layer: Dense;
  readonly curve: LearningCurve;
  /** Whether the loss stopped falling before `maxEpochs`. */
  readonly converged: boolean;
}

export interface Labelled {
  readonly X: Matrix;
  /** Class index per row. */
  readonly y: Int32Array;
}

/** Glorot and Bengio's (2010) uniform initialisation, bound sqrt(6 / (d + k)), zero bias: Keras' Dense. */
export function glorotUniform(d: number, k: number, source: Random): Dense {
  const bound = Math.sqrt(6 / (d + k));
  const data = Float32Array.from({ length: k * d }, () => (2 * source.uniform() - 1) * bound);
  return { weights: matrix(k, d, data), bias: new Float32Array(k) };
}

/**
 * Trains `layer` in place by Adam on shuffled mini-batches, cross-entropy averaged over the batch. Stops when the loss (of `heldOut` where
 * it is given, else of the epoch) has not fallen by more than `tol` below its best for `nIterNoChange` epochs, as scikit-learn's
 * MLPClassifier. With `heldOut` the layer returned is that of the best epoch. Throws INTERRUPTED, and FIT_INVALID where the loss leaves the
 * finite numbers.
 */
export async function trainSoftmax(
  layer: Dense,
  { X, y }: Labelled,
  heldOut: Labelled | undefined,
  options: {
    readonly learningRate: number;
    readonly batchSize: number;
    readonly maxEpochs: number;
    readonly tol: number;
    readonly nIterNoChange: number;
  },
  source: Random,
  context?: FitContext,
): Promise<SoftmaxTraining> {
  const { weights, bias } = layer;
  const k = bias.length;
  const forWeights = adam(weights.data.length, options.learningRate);
  const forBias = adam(k, options.learningRate);
  const [loss, accuracy, valLoss, valAccuracy]: [number[], number[], number[], number[]] = [[], [], [], []];
  const buffer = new Float32Array(Math.min(options.batchSize, X.rows) * X.cols);
  const order = Int32Array.from({ length: X.rows }, (_, i) => i);
  let best: { loss: number; layer: Dense } = { loss: Infinity, layer };
  let stale = 0;

  while (loss.length < options.maxEpochs && stale < options.nIterNoChange) {
    source.shuffle(order);
    let sum = 0;
    let hits = 0;
    for (let start = 0; start < X.rows; start += options.batchSize) {
      checkAborted(context);
      const rows = order.subarray(start, start + options.batchSize);
      const batch = { data: buffer.subarray(0, rows.length * X.cols), rows: rows.length, cols: X.cols };
      rows.forEach((i, at) => batch.data.set(row(X, i), at * X.cols));
      const truth = Int32Array.from(rows, (i) => y[i]!);
      const met = evaluate(await scoresOf(layer, batch), truth, k);
      const R = residuals(met.probabilities, truth, k);
      const slope = await transposedTimes(matrix(rows.length, k, new Float32Array(R)), batch);
      forWeights.step(weights.data, slope.data);
      forBias.step(bias, new Float32Array(columnSums(R, k)));
      sum += met.loss * rows.length;
      hits += hitsOf(met, truth, k);
    }
    if (!Number.isFinite(sum)) {
      throw new PermafrostError(
        'FIT_INVALID',
        `The loss is ${sum} in epoch ${loss.length + 1}: the weights ran away. Lower learningRate (${options.learningRate}) or normalise the features.`,
      );
    }
    loss.push(sum / X.rows);
    accuracy.push(hits / X.rows);
    let watched = sum / X.rows;
    if (heldOut !== undefined) {
      const held = evaluate(await scoresOf(layer, heldOut.X), heldOut.y, k);
      watched = held.loss;
      valLoss.push(held.loss);
      valAccuracy.push(hitsOf(held, heldOut.y, k) / heldOut.y.length);
    }
    stale = watched < best.loss - options.tol ? 0 : stale + 1;
    if (watched < best.loss) best = { loss: watched, layer: heldOut === undefined ? layer : copyOf(layer) };
  }
  const curve = heldOut === undefined ? { loss, accuracy } : { loss, accuracy, valLoss, valAccuracy };
  return { layer: best.layer, curve, converged: stale >= options.nIterNoChange };
}

/** Rows whose likeliest class is the true one; the first of equally likely classes counts. */
function hitsOf({ probabilities }: Evaluation, truth: Int32Array, k: number): number {
  return truth.reduce((hits, c, i) => {
    const row = probabilities.subarray(i * k, (i + 1) * k);
    return hits + (row.indexOf(Math.max(...row)) === c ? 1 : 0);
  }, 0);
}

async function scoresOf({ weights, bias }: Dense, X: Matrix): Promise<Float64Array> {
  const scores = await timesTransposed(X, weights);
  return shiftRows(new Float64Array(scores.data), new Float64Array(bias), 1);
}

function copyOf({ weights, bias }: Dense): Dense {
  return { weights: { ...weights, data: weights.data.slice() }, bias: bias.slice() };
}
