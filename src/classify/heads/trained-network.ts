import { type Matrix, matrix, selectRows } from '../../core/matrix.ts';
import { integerOption, numberOption } from '../../core/options.ts';
import { type Random, random } from '../../core/random.ts';
import { checkFit, checkHeldOut, checkViews } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { stratifiedSplit } from '../evaluate/split.ts';
import type { Network } from '../network/network.ts';
import {
  type Labelled,
  type Training,
  type TrainingOptions,
  trainNetwork,
} from '../network/network-training.ts';
import { type ClassWeight, CLASS_WEIGHT_OPTION, classWeights } from '../solvers/row-weights.ts';
import type { FittedFacts } from './fitted-state.ts';

/**
 * Options of all heads trained by epochs: Keras' defaults for Adam and fit; the stop rule is that of scikit-learn's
 * MLPClassifier.
 */
export const TRAINING_OPTIONS = {
  learningRate: numberOption(1e-3, "Adam's learning rate", { above: 0 }),
  batchSize: integerOption(32, 'rows a step', { min: 1 }),
  maxEpochs: integerOption(200, 'most passes over the rows', { min: 1 }),
  tol: numberOption(1e-4, 'the least fall of the loss that counts as progress', { min: 0 }),
  nIterNoChange: integerOption(10, 'epochs without progress after which training stops', { min: 1 }),
  validationFraction: numberOption(
    0,
    'part of each class held out to watch the loss on, keeping the best epoch; 0 watches the training loss',
    { min: 0, max: 0.9 },
  ),
  classWeight: CLASS_WEIGHT_OPTION,
  seed: integerOption(1, 'seed of the first weights, the order of the rows and the part held out', {
    min: 0,
  }),
};

/** Options of a head trained by epochs, resolved. */
export type NetworkOptions = TrainingOptions & {
  readonly validationFraction: number;
  readonly classWeight: ClassWeight;
  readonly seed: number;
};

/** The network before its first step. */
export type StartNetwork = (features: number, classes: number, source: Random) => Network;

export interface TrainedNetwork {
  readonly facts: FittedFacts;
  readonly network: Network;
}

/** Trains the network that `start` makes for (features, classes). Throws FIT_INVALID, INTERRUPTED. */
export async function trainHeadNetwork(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  options: NetworkOptions,
  start: StartNetwork,
  X: Matrix,
  y: readonly string[],
  context?: FitContext,
): Promise<TrainedNetwork> {
  const { classes, indices } = checkFit(X, y);
  const { seed, validationFraction, classWeight } = options;
  const views = context?.views ?? [];
  checkViews(X, views);
  const part = (rows: readonly number[]) => ({
    X: selectRows(X, rows),
    y: Int32Array.from(rows, (i) => indices[i]!),
  });
  let training: Labelled = { X, y: indices, views };
  let heldOut: Labelled | undefined;
  if (validationFraction > 0) {
    const keys = y.map((_, i) => String(i));
    const { train, val } = stratifiedSplit(y, { keys, valFraction: validationFraction, seed });
    checkHeldOut(val.length);
    training = { ...part(train), views: views.map((view) => selectRows(view, train)) };
    heldOut = part(val);
  }
  const source = random(seed);
  const first = start(X.cols, classes.length, source);
  const weights = classWeights(training.y, classes.length, classWeight);
  const { network, curve, converged } = await trainNetwork(
    first,
    training,
    heldOut,
    weights,
    options,
    source,
    context,
  );
  return { facts: trainedFacts({ name, params }, classes, X.cols, { curve, converged }), network };
}

/** What a head trained by epochs tells. */
export function trainedFacts(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  classes: readonly string[],
  features: number,
  { curve, converged }: Omit<Training, 'network'>,
): FittedFacts {
  const iterations = curve.loss.length;
  const notes = converged
    ? []
    : [`not converged: the loss still fell after ${iterations} epochs; raise maxEpochs or learningRate`];
  return { name, params, classes, features, converged, iterations, learningCurve: curve, notes };
}

/** The transpose of m, a new matrix. */
export function transposed(m: Matrix): Matrix {
  const out = matrix(m.cols, m.rows);
  for (let i = 0; i < m.rows; i++) {
    for (let j = 0; j < m.cols; j++) out.data[j * m.rows + i] = m.data[i * m.cols + j]!;
  }
  return out;
}
