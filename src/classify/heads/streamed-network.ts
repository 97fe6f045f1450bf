import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import type { RowSource } from '../../core/row-source.ts';
import { checkFinite, checkHeldOut, checkLabels } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import {
  trainedFacts,
  type NetworkOptions,
  type StartNetwork,
  type TrainedNetwork,
} from './trained-network.ts';
import {
  batchOf,
  trainOnBatches,
  type Batches,
  type HeldOut,
  type Labelled,
} from '../network/network-training.ts';
import { classWeights } from '../solvers/row-weights.ts';
import { stratifiedSplit } from '../evaluate/split.ts';

/** Some rows of a block, by their numbers in it. */
type Picks = readonly Int32Array[];

/**
 * The rows of a stream in the order in which an epoch meets them: the blocks in a shuffled order, the rows of each
 * shuffled among themselves, each as it is or in one of its views. A batch holds rows of one block; the last of a block
 * may be smaller.
 */
function shuffledBlocks(
  source: RowSource,
  y: Int32Array,
  { rows, picks }: { readonly rows: number; readonly picks: Picks },
  views: readonly RowSource[],
  batchSize: number,
): Batches {
  const blocks = Int32Array.from(picks, (_, b) => b);
  const buffer = new Float32Array(batchSize * source.cols);
  return {
    rows,
    async *epoch(numbers) {
      for (const b of numbers.shuffle(blocks)) {
        // One array a block, as in memory there is one for all: it is shuffled from epoch to epoch, never back in
        // order.
        const order = numbers.shuffle(picks[b]!);
        if (order.length === 0) continue;
        const looks: Matrix[] = [];
        for (const look of [source, ...views]) looks.push(await look.read(b));
        looks.forEach(checkFinite);
        const X = looks[0]!;
        const block = { X, y: y.subarray(source.starts[b], source.starts[b]! + X.rows) };
        for (let at = 0; at < order.length; at += batchSize)
          yield batchOf(block, order.subarray(at, at + batchSize), buffer, () =>
            looks.length === 1 ? X : looks[numbers.below(looks.length)]!,
          );
      }
    },
  };
}

/** Held-out rows, a block at a time: a pass over the blocks that have some. */
function heldOutBlocks(
  source: RowSource,
  y: Int32Array,
  { rows, picks }: { readonly rows: number; readonly picks: Picks },
): HeldOut {
  return {
    rows,
    async *blocks(): AsyncGenerator<Labelled> {
      for (const [b, some] of picks.entries()) {
        if (some.length === 0) continue;
        const X = await source.read(b);
        checkFinite(X);
        const buffer = new Float32Array(some.length * X.cols);
        yield batchOf({ X, y: y.subarray(source.starts[b], source.starts[b]! + X.rows) }, some, buffer);
      }
    },
  };
}

/** Rows of a source, ascending, as the numbers that they have in its blocks. */
function inBlocks({ starts }: RowSource, rows: Iterable<number>): Picks {
  const lists = starts.slice(1).map(() => [] as number[]);
  let block = 0;
  for (const row of rows) {
    while (row >= starts[block + 1]!) block++;
    lists[block]!.push(row - starts[block]!);
  }
  return lists.map((list) => Int32Array.from(list));
}

function* upTo(rows: number): Generator<number> {
  for (let row = 0; row < rows; row++) yield row;
}

/**
 * As trainHeadNetwork on rows that are read in blocks, normalised: one pass an epoch, and one more where rows are held
 * out. `views` are further looks at the same rows, in the same blocks. It differs from the fit in memory in the order
 * of the rows alone (shuffledBlocks); with a single block the bytes are the same. Throws FIT_INVALID, INTERRUPTED.
 */
export async function trainStreamedNetwork(
  self: Pick<FittedHead, 'name' | 'params'>,
  options: NetworkOptions,
  start: StartNetwork,
  source: RowSource,
  y: readonly string[],
  views: readonly RowSource[] = [],
  context?: FitContext,
): Promise<TrainedNetwork> {
  const { classes, indices } = checkLabels(source, y);
  checkLooks(source, views);
  const { seed, validationFraction, classWeight, batchSize } = options;
  let training = { rows: source.rows, picks: inBlocks(source, upTo(source.rows)) };
  let heldOut: HeldOut | undefined;
  let counted: ArrayLike<number> | undefined;
  if (validationFraction > 0) {
    const keys = y.map((_, i) => String(i));
    const { train, val } = stratifiedSplit(y, { keys, valFraction: validationFraction, seed });
    checkHeldOut(val.length);
    training = { rows: train.length, picks: inBlocks(source, train) };
    heldOut = heldOutBlocks(source, indices, { rows: val.length, picks: inBlocks(source, val) });
    counted = train;
  }
  const numbers = random(seed);
  const first = start(source.cols, classes.length, numbers);
  const truth = counted === undefined ? indices : Int32Array.from(counted, (i) => indices[i]!);
  const weights = classWeights(truth, classes.length, classWeight);
  const batches = shuffledBlocks(source, indices, training, views, batchSize);
  const trained = await trainOnBatches(first, batches, heldOut, weights, options, numbers, context);
  return { facts: trainedFacts(self, classes, source.cols, trained), network: trained.network };
}

/** Throws FIT_INVALID for a view that has not the rows of the source in the same blocks. */
function checkLooks(source: RowSource, views: readonly RowSource[]): void {
  for (const [v, { rows, cols, starts }] of views.entries()) {
    if (rows === source.rows && cols === source.cols && starts.every((at, b) => at === source.starts[b]))
      continue;
    throw new PermafrostError(
      'FIT_INVALID',
      `View ${v + 1} has ${rows} x ${cols} features; it needs a row for each of the ${source.rows} images and their ${source.cols} columns, in the same blocks.`,
    );
  }
}
