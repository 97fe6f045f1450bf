import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, row } from '../../core/matrix.ts';
import type { Random } from '../../core/random.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, LearningCurve } from '../head.ts';
import { adam } from './adam.ts';
import { logisticLoss } from '../solvers/logistic-loss.ts';
import { type Network, copyOf, forward, parametersOf, slopes } from './network.ts';

export interface Training {
  readonly network: Network;
  readonly curve: LearningCurve;
  /** Whether the loss stopped falling before `maxEpochs`. */
  readonly converged: boolean;
}

export interface Labelled {
  readonly X: Matrix;
  /** Other views of the rows, each of the shape of X. */
  readonly views?: readonly Matrix[];
  /** Class index per row. */
  readonly y: Int32Array;
}

export interface TrainingOptions {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly maxEpochs: number;
  readonly tol: number;
  readonly nIterNoChange: number;
}

/**
 * Trains `network` in place by Adam on shuffled mini-batches, cross-entropy averaged over the batch, each row weighted
 * by `weights` of its class, as Keras' class_weight. Where the rows have views, an epoch meets each row once, as it is
 * or in one of its views, drawn with equal chances. Stops when the loss (of `heldOut` where it is given, else of the
 * epoch) has not fallen by more than `tol` below its best for `nIterNoChange` epochs, as scikit-learn's MLPClassifier.
 * With `heldOut` the network returned is that of the best epoch. Throws INTERRUPTED, and FIT_INVALID where the loss
 * leaves the finite numbers.
 */
export function trainNetwork(
  network: Network,
  rows: Labelled,
  heldOut: Labelled | undefined,
  weights: Float64Array,
  options: TrainingOptions,
  source: Random,
  context?: FitContext,
): Promise<Training> {
  const batches = shuffledRows(rows, options.batchSize);
  const watched = heldOut && { rows: heldOut.X.rows, blocks: () => [heldOut] };
  return trainOnBatches(network, batches, watched, weights, options, source, context);
}

/** Rows that no step is made on, block by block: the loss of all of them is watched. */
export interface HeldOut {
  readonly rows: number;
  blocks(): AsyncIterable<Labelled> | Iterable<Labelled>;
}

/**
 * Training rows as they are met: each epoch gives every row once, in batches; a batch is valid until the next is asked
 * for.
 */
export interface Batches {
  readonly rows: number;
  epoch(source: Random): AsyncIterable<Labelled> | Iterable<Labelled>;
}

/**
 * Rows in memory, shuffled anew for each epoch; each is met as it is or in one of its views, drawn with equal chances.
 */
function shuffledRows({ X, y, views = [] }: Labelled, batchSize: number): Batches {
  const looks = [X, ...views];
  const buffer = new Float32Array(Math.min(batchSize, X.rows) * X.cols);
  const order = Int32Array.from({ length: X.rows }, (_, i) => i);
  return {
    rows: X.rows,
    *epoch(source) {
      source.shuffle(order);
      for (let start = 0; start < X.rows; start += batchSize)
        yield batchOf({ X, y }, order.subarray(start, start + batchSize), buffer, () =>
          // Without views nothing is drawn: the same seed gives the same head as where there never were any.
          looks.length === 1 ? X : looks[source.below(looks.length)]!,
        );
    },
  };
}

/** Some rows of X, or of what `look` gives in its place for each, copied into `buffer`, with their classes. */
export function batchOf(
  { X, y }: Labelled,
  rows: Int32Array,
  buffer: Float32Array,
  look: () => Matrix = () => X,
): Labelled {
  const data = buffer.subarray(0, rows.length * X.cols);
  rows.forEach((i, at) => data.set(row(look(), i), at * X.cols));
  return { X: { data, rows: rows.length, cols: X.cols }, y: Int32Array.from(rows, (i) => y[i]!) };
}

/** `trainNetwork` on batches from anywhere. */
export async function trainOnBatches(
  network: Network,
  batches: Batches,
  heldOut: HeldOut | undefined,
  weights: Float64Array,
  options: TrainingOptions,
  source: Random,
  context?: FitContext,
): Promise<Training> {
  const k = weights.length;
  const lossOf = (truth: Int32Array, rows = truth.length) =>
    // A softmax of two scores too: a network has one for each class.
    logisticLoss(
      truth,
      k,
      Float64Array.from(truth, (c) => weights[c]! / rows),
    );
  const parameters = parametersOf(network);
  const optimisers = parameters.map(({ length }) => adam(length, options.learningRate));
  const [loss, accuracy, valLoss, valAccuracy]: [number[], number[], number[], number[]] = [[], [], [], []];
  let best = { loss: Infinity, network };
  let stale = 0;

  while (loss.length < options.maxEpochs && stale < options.nIterNoChange) {
    let sum = 0;
    let hits = 0;
    for await (const { X, y: truth } of batches.epoch(source)) {
      checkAborted(context);
      const passed = await forward(network, X);
      const met = lossOf(truth).at(passed.scores);
      const gradients = await slopes(network, passed, met.residuals);
      optimisers.forEach((optimiser, at) => optimiser.step(parameters[at]!, gradients[at]!));
      sum += met.loss * X.rows;
      hits += hitsOf(passed.scores, truth, k);
    }
    if (!Number.isFinite(sum)) {
      throw new PermafrostError(
        'FIT_INVALID',
        `The loss is ${sum} in epoch ${loss.length + 1}: the weights ran away. Lower learningRate (${options.learningRate}) or normalise the features.`,
      );
    }
    loss.push(sum / batches.rows);
    accuracy.push(hits / batches.rows);
    let watched = sum / batches.rows;
    if (heldOut !== undefined) {
      watched = 0;
      let right = 0;
      for await (const { X, y: truth } of heldOut.blocks()) {
        checkAborted(context);
        const { scores } = await forward(network, X);
        watched += lossOf(truth, heldOut.rows).value(scores);
        right += hitsOf(scores, truth, k);
      }
      valLoss.push(watched);
      valAccuracy.push(right / heldOut.rows);
    }
    stale = watched < best.loss - options.tol ? 0 : stale + 1;
    if (watched < best.loss) {
      best = { loss: watched, network: heldOut === undefined ? network : copyOf(network) };
    }
  }
  const curve = heldOut === undefined ? { loss, accuracy } : { loss, accuracy, valLoss, valAccuracy };
  return { network: best.network, curve, converged: stale >= options.nIterNoChange };
}

/** Rows whose likeliest class is the true one; the first of equally likely classes counts. */
function hitsOf(scores: Float64Array, truth: Int32Array, k: number): number {
  return truth.reduce((hits, c, i) => {
    const row = scores.subarray(i * k, (i + 1) * k);
    return hits + (row.indexOf(Math.max(...row)) === c ? 1 : 0);
  }, 0);
}
