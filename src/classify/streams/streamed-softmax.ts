import { PermafrostError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { RowSource } from '../../core/row-source.ts';
import { checkFinite, checkLabels } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { fittedLinear } from '../heads/linear.ts';
import { trainedFacts, transposed } from '../heads/trained-network.ts';
import { glorotUniform } from '../solvers/network.ts';
import { batchOf, trainOnBatches, type Batches, type TrainingOptions } from '../solvers/network-training.ts';
import { classWeights, type ClassWeight } from '../solvers/row-weights.ts';

/**
 * The rows of a stream in the order in which an epoch meets them: the blocks in a shuffled order, the rows of each shuffled among themselves.
 * A batch holds rows of one block; the last of a block may be smaller.
 */
function shuffledBlocks(source: RowSource, y: Int32Array, batchSize: number): Batches {
  const blocks = Int32Array.from({ length: source.starts.length - 1 }, (_, b) => b);
  // One array a block, as in memory there is one for all: it is shuffled from epoch to epoch, never back in order.
  const orders = Array.from(blocks, (b) =>
    Int32Array.from({ length: source.starts[b + 1]! - source.starts[b]! }, (_, i) => i),
  );
  const buffer = new Float32Array(batchSize * source.cols);
  return {
    rows: source.rows,
    async *epoch(random) {
      for (const b of random.shuffle(blocks)) {
        const start = source.starts[b]!;
        const order = random.shuffle(orders[b]!);
        const X = await source.read(b);
        checkFinite(X);
        const block = { X, y: y.subarray(start, start + X.rows) };
        for (let at = 0; at < X.rows; at += batchSize)
          yield batchOf(block, order.subarray(at, at + batchSize), buffer);
      }
    },
  };
}

/**
 * The head `softmax` on rows that are read in blocks, normalised: one pass an epoch. It differs from the fit in memory in the order of the rows
 * alone (shuffledBlocks); with a single block the bytes are the same. Nothing can be held out. Throws OPTION_INVALID for a
 * validationFraction, FIT_INVALID, INTERRUPTED.
 */
export async function fitStreamedSoftmax(
  self: Pick<FittedHead, 'name' | 'params'>,
  options: TrainingOptions & {
    readonly validationFraction: number;
    readonly classWeight: ClassWeight;
    readonly seed: number;
  },
  source: RowSource,
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  if (options.validationFraction > 0) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `The head "${self.name}": validationFraction is ${options.validationFraction}, and from features that are read in streams nothing is held out. Set it to 0, or allow more memory.`,
    );
  }
  const { classes, indices } = checkLabels(source, y);
  const numbers = random(options.seed);
  const first = [glorotUniform(source.cols, classes.length, numbers)];
  const weights = classWeights(indices, classes.length, options.classWeight);
  const batches = shuffledBlocks(source, indices, options.batchSize);
  const trained = await trainOnBatches(first, batches, undefined, weights, options, numbers, context);
  const { weights: W, bias } = trained.network[0]!;
  return fittedLinear(trainedFacts(self, classes, source.cols, trained), transposed(W), bias);
}
