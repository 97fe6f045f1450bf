import { matrix, row, type Matrix } from '../../../core/matrix.ts';
import { checkAborted } from '../../../classify/checks.ts';
import * as metrics from '../../../classify/evaluate/metrics.ts';
import { softmaxRows } from '../../../classify/heads/linear.ts';
import type { TailAnswers, TailArrays, TailProgram, Trainer, TrainingStep } from '../../../extract/training.ts';
import type { NetworkScore } from '../../../results/finetune-result.ts';
import { batchesOf, partsOf, type TailInputs } from './inputs.ts';
import type { StepMeter } from './step-meter.ts';

/** A tail that is loaded to be trained and asked, and who hears of it. */
export interface LoadedTail {
  readonly program: TailProgram;
  readonly step: TrainingStep;
  readonly answers: TailAnswers;
  readonly meter: StepMeter;
  readonly signal: AbortSignal | undefined;
}

/** Loads a tail for training and for answers. The caller disposes it. Throws what the trainer throws. */
export async function loadTail(
  trainer: Trainer,
  program: TailProgram,
  watched: Pick<LoadedTail, 'meter' | 'signal'>,
): Promise<LoadedTail> {
  const step = await trainer.loadStep(program);
  try {
    return { program, step, answers: await trainer.loadAnswers(program), ...watched };
  } catch (error) {
    await step.dispose();
    throw error;
  }
}

export async function disposeTail({ step, answers }: LoadedTail): Promise<void> {
  await step.dispose();
  await answers.dispose();
}

/** Copies arrays into others of the same names. */
export function setArrays(into: TailArrays, values: TailArrays): void {
  for (const [name, array] of into) array.set(values.get(name)!);
}

/** A copy that nobody else writes into. */
export const copyOfArrays = (arrays: TailArrays): TailArrays =>
  new Map(Array.from(arrays, ([name, array]) => [name, array.slice()]));

/** What a tail gives for images: pooled features (n, width), and logits (n, classes). */
export interface Asked {
  readonly features: Matrix;
  readonly logits: Matrix;
}

/**
 * Asks a tail with these arrays about some images, or all of their own; features where they are `wanted`. Throws
 * INTERRUPTED, ENGINE_FAILED, what reading throws.
 */
export async function ask(
  { program, answers, meter, signal }: Omit<LoadedTail, 'step'>,
  arrays: TailArrays,
  inputs: TailInputs,
  images: readonly number[],
  wanted: 'logits' | 'features' = 'logits',
): Promise<Asked> {
  const { batch, head } = program;
  setArrays(answers.parameters, arrays);
  const width = answers.features.length / batch;
  const features = matrix(wanted === 'features' ? images.length : 0, width);
  const logits = matrix(images.length, head.classes);
  const picks = images.map((image) => ({ image, view: 0 }));
  let at = 0;
  for await (const { picks: some, data } of batchesOf(inputs, partsOf(picks, batch))) {
    checkAborted(signal && { signal });
    answers.x.set(data);
    await answers.run();
    logits.data.set(answers.logits.subarray(0, some.length * head.classes), at * head.classes);
    if (wanted === 'features') features.data.set(answers.features.subarray(0, some.length * width), at * width);
    at += some.length;
    meter.scored(some.length / batch);
  }
  return { features, logits };
}

/** What a network says of images whose classes are known. */
export interface Judged {
  readonly score: NetworkScore;
  /** The likeliest class of each image, and -ln(probability of the true one), shape (n). */
  readonly guess: Int32Array;
  readonly losses: Float64Array;
}

/** Judges the answers `logits` (n, classes); of a class of -1, which the network cannot know, it is wrong. */
export function judge(logits: Matrix, truth: Int32Array): Judged {
  const P = softmaxRows(logits);
  const guess = metrics.topClass(P);
  const losses = Float64Array.from(truth, (c, i) => -metrics.clippedLog(c < 0 ? 0 : row(P, i)[c]!));
  const logLoss = losses.reduce((sum, loss) => sum + loss, 0) / truth.length;
  return { score: { accuracy: metrics.accuracy(truth, guess), logLoss }, guess, losses };
}
