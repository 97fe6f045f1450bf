import { PermafrostError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, LearningCurve } from '../head.ts';
import { logisticLoss } from '../solvers/logistic-loss.ts';
import { adam } from './adam.ts';
import type { TrainingRows, ValidationRows } from './batches.ts';
import { type Network, copyOf, forward, parametersOf, slopes, withParameters } from './network.ts';

export interface Training {
  readonly network: Network;
  readonly curve: LearningCurve;
  /** Whether the loss stopped falling before `maxEpochs`. */
  readonly converged: boolean;
}

export interface TrainingOptions {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly maxEpochs: number;
  readonly tol: number;
  readonly nIterNoChange: number;
}

/**
 * Trains a network from `start` by Adam on shuffled mini-batches: mean cross-entropy, rows weighted by their class
 * (Keras' class_weight). Stops when the loss (of validation rows, else of the epoch) has not fallen by more than `tol`
 * below its best for `nIterNoChange` epochs (scikit-learn's MLPClassifier). With validation rows the best epoch's
 * network is returned. Throws INTERRUPTED, FIT_INVALID where the loss is not finite.
 */
export async function trainNetwork(
  start: Network,
  batches: TrainingRows,
  validation: ValidationRows | undefined,
  weights: Float64Array,
  options: TrainingOptions,
  source: Random,
  context?: FitContext,
): Promise<Training> {
  const k = weights.length;
  const lossOf = (truth: Int32Array, rows = truth.length) =>
    // A softmax of two logits too: a network has one for each class.
    logisticLoss(
      truth,
      k,
      Float64Array.from(truth, (c) => weights[c]! / rows),
    );
  const optimiser = adam(parametersOf(start), options.learningRate);
  const network = withParameters(start, optimiser.weights);
  const [loss, accuracy, valLoss, valAccuracy]: [number[], number[], number[], number[]] = [[], [], [], []];
  let best = { loss: Infinity, network };
  let stale = 0;

  while (loss.length < options.maxEpochs && stale < options.nIterNoChange) {
    let sum = 0;
    let hits = 0;
    for await (const { X, y: truth } of batches.epoch(source)) {
      checkAborted(context);
      const passed = await forward(network, X);
      const met = lossOf(truth).at(passed.logits);
      optimiser.step(await slopes(network, passed, met.residuals));
      sum += met.value * X.rows;
      hits += hitsOf(passed.logits, truth, k);
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
    if (validation !== undefined) {
      watched = 0;
      let right = 0;
      for await (const { X, y: truth } of validation.blocks()) {
        checkAborted(context);
        const { logits } = await forward(network, X);
        watched += lossOf(truth, validation.rows).at(logits).value;
        right += hitsOf(logits, truth, k);
      }
      valLoss.push(watched);
      valAccuracy.push(right / validation.rows);
    }
    stale = watched < best.loss - options.tol ? 0 : stale + 1;
    if (watched < best.loss) {
      best = { loss: watched, network: validation === undefined ? network : copyOf(network) };
    }
  }
  const curve = validation === undefined ? { loss, accuracy } : { loss, accuracy, valLoss, valAccuracy };
  // The optimiser's memory goes with it.
  return { network: copyOf(best.network), curve, converged: stale >= options.nIterNoChange };
}

/** Rows whose likeliest class is the true one; the first of equally likely classes counts. */
function hitsOf(logits: Float64Array, truth: Int32Array, k: number): number {
  let hits = 0;
  for (let i = 0, at = 0; i < truth.length; i++, at += k) {
    let likeliest = 0;
    for (let c = 1; c < k; c++) if (logits[at + c]! > logits[at + likeliest]!) likeliest = c;
    if (likeliest === truth[i]) hits++;
  }
  return hits;
}
