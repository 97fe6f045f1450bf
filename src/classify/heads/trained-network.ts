import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix } from '../../core/matrix.ts';
import { integerOption, numberOption } from '../../core/options.ts';
import { type Random, random } from '../../core/random.ts';
import type { Rows } from '../../core/rows.ts';
import { checkedRows, checkLabels, checkViews } from '../checks.ts';
import { stratifiedSplit, type TrainVal } from '../evaluate/split.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { shuffledBatches, validationBlocks } from '../network/batches.ts';
import { imagesOfRows } from '../network/images-of-rows.ts';
import type { Network } from '../network/network.ts';
import { type TrainingOptions, trainNetwork } from '../network/network-training.ts';
import { type ClassWeight, CLASS_WEIGHT_OPTION, classWeights } from '../solvers/class-weights.ts';
import type { FittedFacts } from './fitted-state.ts';

/** Options of heads trained by epochs: Keras' defaults for Adam and fit, scikit-learn's MLPClassifier's stop rule. */
export const TRAINING_OPTIONS = {
  learningRate: numberOption(1e-3, "Adam's learning rate", { above: 0 }),
  batchSize: integerOption(32, 'rows a step', { min: 1 }),
  maxEpochs: integerOption(200, 'most passes over the rows', { min: 1 }),
  tol: numberOption(1e-4, 'the least fall of the loss that counts as progress', { min: 0 }),
  nIterNoChange: integerOption(10, 'epochs without progress after which training stops', { min: 1 }),
  validationFraction: numberOption(
    0,
    "part of each class' images held out to watch the loss on, keeping the best epoch; 0 watches the training loss",
    { min: 0, max: 0.9 },
  ),
  classWeight: CLASS_WEIGHT_OPTION,
  seed: integerOption(1, 'seed of the first weights, the order of the rows and the part held out', { min: 0 }),
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

/**
 * Trains the network of `start`: one pass an epoch, one more where images are held out. Blocks only change the order in
 * which rows are met (network/batches.ts). Throws FIT_INVALID, INTERRUPTED.
 */
export async function trainHeadNetwork(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  options: NetworkOptions,
  start: StartNetwork,
  given: Rows,
  y: readonly string[],
  context?: FitContext,
): Promise<TrainedNetwork> {
  const { classes, indices } = checkLabels(given, y);
  const { seed, validationFraction, classWeight, batchSize } = options;
  checkViews(given, context?.views ?? []);
  const [rows, ...views] = [given, ...(context?.views ?? [])].map(checkedRows) as [Rows, ...Rows[]];
  const split =
    validationFraction > 0
      ? splitOf(y, await imagesOfRows(rows, context?.images), validationFraction, seed)
      : undefined;
  const training = { rows, y: indices, ...(split && { picked: split.train }) };
  const validation = split && validationBlocks({ rows, y: indices, picked: split.val });
  const source = random(seed);
  const first = start(rows.cols, classes.length, source);
  const trained = split ? Int32Array.from(split.train, (i) => indices[i]!) : indices;
  const { network, curve, converged } = await trainNetwork(
    first,
    shuffledBatches(training, views, batchSize),
    validation,
    classWeights(trained, classes.length, classWeight),
    options,
    source,
    context,
  );
  const iterations = curve.loss.length;
  const notes = converged
    ? []
    : [`not converged: the loss still fell after ${iterations} epochs; raise maxEpochs or learningRate`];
  const learned = { converged, iterations, learningCurve: curve, notes };
  return { facts: { name, params, classes, features: rows.cols, ...learned }, network };
}

/**
 * Holds out images, not rows: of a held-out image the first row is watched, and its others (views, equal files) are
 * neither watched nor trained on. `images`: the first row of each row's image; under another label it is another image.
 */
function splitOf(y: readonly string[], images: Int32Array, valFraction: number, seed: number): TrainVal {
  const firstOf = new Map<string, number>();
  const own = Array.from(images, (image, i) => {
    const name = `${image} ${y[i]}`;
    if (!firstOf.has(name)) firstOf.set(name, i);
    return firstOf.get(name)!;
  });
  const firsts = [...firstOf.values()];
  const keys = firsts.map(String);
  const { val } = stratifiedSplit(
    firsts.map((i) => y[i]!),
    { keys, valFraction, seed },
  );
  const held = new Set(val.map((at) => firsts[at]!));
  const split = {
    train: [...own.keys()].filter((i) => !held.has(own[i]!)),
    val: [...held],
  };
  if (split.val.length > 0) return split;
  throw new PermafrostError(
    'FIT_INVALID',
    'Every class has a single image, so none can be held out. Set validationFraction to 0 or add images.',
  );
}

/** The transpose of m, a new matrix. */
export function transposed(m: Matrix): Matrix {
  const out = matrix(m.cols, m.rows);
  for (let i = 0; i < m.rows; i++) {
    for (let j = 0; j < m.cols; j++) out.data[j * m.rows + i] = m.data[i * m.cols + j]!;
  }
  return out;
}
