import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { unitRows } from '../../classify/normalize.ts';
import type { Work } from '../work.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import { judgeOn, judgeOnVal, type Finetuning } from './search.ts';
import { ask, judge, type Judged } from './training/loaded-tail.ts';
import { exactHead, randomHead, startArrays, type StartHead } from './training/start.ts';

/** The dense layer that training begins with, and what the network says before it is trained. */
export interface Starts {
  /** The head to begin with on some of the training images. */
  readonly headOn: (rows: readonly number[]) => Promise<StartHead>;
  /** What the network with that head says of some of the training images. */
  readonly onTrain: (head: StartHead, rows: readonly number[]) => Promise<Judged>;
  /** And of the validated ones, which counts as a look at them. */
  readonly onVal: (head: StartHead) => Promise<Judged>;
}

/** Logits of a dense layer on rows of length 1. */
function logitsOn(unit: Matrix, rows: readonly number[], { kernel, bias }: StartHead): Matrix {
  const classes = bias.length;
  const logits = matrix(rows.length, classes);
  rows.forEach((image, at) => {
    const sums = Float64Array.from(bias);
    row(unit, image).forEach((value, j) => {
      for (let c = 0; c < classes; c++) sums[c]! += value * kernel[j * classes + c]!;
    });
    logits.data.set(sums, at * classes);
  });
  return logits;
}

/**
 * Exact heads on the pooled features that the tail itself gives before it is trained, so that epoch 0 is that head, and
 * the frozen layers are asked about each image once; or the recipe's random weights. Throws INTERRUPTED, ENGINE_FAILED.
 */
export async function startsOf(
  { recipe, images, tail, head, weights, loaded, inputs }: OpenedFinetuning,
  finetuning: Finetuning,
  { signal }: Work,
): Promise<Starts> {
  const random = randomHead(tail, head, recipe.seed);
  const randomArrays = startArrays(tail, weights, random);
  if (!recipe.warm)
    return {
      headOn: () => Promise.resolve(random),
      onTrain: (_, rows) => judgeOn(loaded, randomArrays, finetuning.train, rows),
      onVal: () => judgeOnVal(finetuning, randomArrays),
    };
  loaded.meter.stage = 'features of the frozen network';
  const all = ({ length }: Int32Array): number[] => Array.from({ length }, (_, i) => i);
  const { train, val } = images;
  // Features do not depend on the dense layer.
  const featuresOf = async (which: 'train' | 'val', truth: Int32Array): Promise<Matrix> =>
    unitRows((await ask(loaded, randomArrays, inputs[which], all(truth), 'features')).features);
  const [ofTrain, ofVal] = [await featuresOf('train', train.truth), await featuresOf('val', val.truth)];
  return {
    headOn: (rows) => exactHead(ofTrain, train, rows, recipe.seed, signal && { signal }),
    onTrain: (start, rows) => {
      const truth = Int32Array.from(rows, (i) => train.truth[i]!);
      return Promise.resolve(judge(logitsOn(ofTrain, rows, start), truth));
    },
    onVal: (start) => {
      finetuning.looks++;
      return Promise.resolve(judge(logitsOn(ofVal, all(val.truth), start), val.truth));
    },
  };
}
