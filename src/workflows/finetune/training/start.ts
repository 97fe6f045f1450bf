import { selectRows, type Matrix } from '../../../core/matrix.ts';
import { matrixRows } from '../../../core/rows.ts';
import { random } from '../../../core/random.ts';
import type { FitContext, FittedHead } from '../../../classify/head.ts';
import { chooseStrength, DEFAULT_STRENGTH } from '../../../classify/cross-validation/choose-strength.ts';
import { trainingFolds } from '../../../classify/out-of-fold/out-of-fold.ts';
import { logisticHead } from '../../../classify/heads/logistic.ts';
import type { BackboneWeights } from '../../../extract/backbones/backbone.ts';
import type { DenseHead, TailArrays } from '../../../extract/training.ts';
import { convolutionsOf, headWidth, type Tail } from './tail.ts';
import type { TrainingImages } from './images.ts';

/** The dense layer that training begins with: kernel (width, classes) and bias (classes). */
export interface StartHead {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  /** Inverse strength of the penalty of an exact head; null for random weights. */
  readonly C: number | null;
}

/**
 * The exact logistic head on pooled features of length 1 (n, width), of some of the training images: C by
 * cross-validated log loss on these images alone, copies in one fold. Throws FIT_INVALID, INTERRUPTED.
 */
export async function exactHead(
  unit: Matrix,
  { samples, truth, classes }: Pick<TrainingImages, 'samples' | 'truth' | 'classes'>,
  rows: readonly number[],
  seed: number,
  context?: FitContext,
): Promise<StartHead> {
  const X = selectRows(unit, rows);
  const y = Int32Array.from(rows, (i) => truth[i]!);
  const labels = Array.from(y, (c) => classes[c]!);
  const keys = rows.map((i) => samples[i]!.path);
  const folds = trainingFolds(labels, { keys, groups: rows.map((i) => samples[i]!.sha256), seed });
  const C = folds.length > 0 ? (await chooseStrength(X, y, classes.length, folds, context)).C : DEFAULT_STRENGTH;
  return { ...denseOf(await logisticHead({ C }).fit(matrixRows(X), labels, context)), C };
}

/** A linear head as a softmax layer: of two classes one column s becomes -s / 2 and s / 2, the same probabilities. */
function denseOf({ state, classes, features }: FittedHead): Omit<StartHead, 'C'> {
  const weights = state.tensors.get('weights')!.data as Float32Array;
  const intercept = state.tensors.get('intercept')!.data as Float32Array;
  if (intercept.length > 1) return { kernel: weights.slice(), bias: intercept.slice() };
  const halves = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: 2 * values.length }, (_, at) => (at % 2 === 0 ? -0.5 : 0.5) * values[at >> 1]!);
  if (classes.length !== 2 || weights.length !== features)
    throw new Error('A linear head of one column has two classes.');
  return { kernel: halves(weights), bias: halves(intercept) };
}

/** Random weights as Keras' Dense begins with: Glorot and Bengio's uniform ones (2010), biases of 0. */
export function randomHead(tail: Tail, head: DenseHead, seed: number): StartHead {
  const width = headWidth(tail, head);
  const limit = Math.sqrt(6 / (width + head.classes));
  const source = random(seed);
  return {
    kernel: Float32Array.from({ length: width * head.classes }, () => (2 * source.uniform() - 1) * limit),
    bias: new Float32Array(head.classes),
    C: null,
  };
}

/** All that is trained, as it begins: the layers' weights, which are not copied, and a dense layer. */
export function startArrays(
  tail: Tail,
  { tensors }: BackboneWeights,
  { kernel, bias }: Omit<StartHead, 'C'>,
): TailArrays {
  const layers = convolutionsOf(tail).flatMap(({ name }) =>
    ['kernel', 'bias'].map((part) => [`${name}/${part}`, tensors.get(`${name}/${part}`)!.data] as const),
  );
  return new Map([...layers, ['head/kernel', kernel], ['head/bias', bias]]);
}
