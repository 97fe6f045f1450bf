import { PermafrostError } from '../../core/errors.ts';
import { pick, resolveOptions } from '../../core/options.ts';
import type { Failure } from '../../core/sample.ts';
import type { Answered, Prediction, PredictResult } from '../../results/answer-results.ts';
import { likeliest } from '../classifier/answers-of.ts';
import { openClassifier, type Classifier } from '../classifier/classifier.ts';
import { CLASSIFIER_OPTIONS } from '../classifier/options.ts';
import { progressMeter } from '../progress-meter.ts';
import { givenImages } from '../search/given-images.ts';
import { openOutputs, requireOutputs, type Outputs } from './outputs.ts';
import { PREDICT_OPTIONS, type PredictOptions, type PredictWork } from './options.ts';

export type { PredictOptions, PredictWork } from './options.ts';

/** Failures that are told where answers go to files, which hold all of them. */
const TOLD_FAILURES = 100;

/**
 * Classifies images with a head: a file, or a store, whose best head it is; under the contract, cut, weights and engine
 * class of its training. Images are files, folders, archives, patterns, lists of paths, or "-". Where answers go to
 * files, any number of images is answered in bounded memory, and images that have a row of this head are not asked
 * about again. Throws OPTION_INVALID, also for a file of other content; DATASET_EMPTY for what stands for no image;
 * STORE_WRITE; INTERRUPTED; and what openClassifier throws.
 */
export async function predict(
  headOrStore: string,
  images: readonly string[],
  given: Partial<PredictOptions> = {},
  work: PredictWork = {},
): Promise<PredictResult> {
  const options = resolveOptions('predict', PREDICT_OPTIONS, given);
  const hasOutputs = requireOutputs(options, images, work.print !== undefined);
  const asked = { ...options, neighbors: hasOutputs ? (given.neighbors ?? 0) : options.neighbors };
  const files = await givenImages(images, work);
  const classifier = await openClassifier(headOrStore, pick(options, CLASSIFIER_OPTIONS), work);
  try {
    const outputs = hasOutputs ? await openOutputs(classifier.facts, files, asked, work) : undefined;
    try {
      return await answered(classifier, outputs?.wanted ?? files, outputs, asked, work);
    } finally {
      await outputs?.close();
    }
  } finally {
    await classifier.close();
  }
}

/** An answer as it was asked for. */
function predictionOf(answer: Answered, { top, minProbability }: PredictOptions): Prediction {
  const unknown = answer.unknown || answer.probability < minProbability;
  return { ...answer, unknown, ...(top > 0 && { top: likeliest(answer, top) }) };
}

async function answered(
  classifier: Classifier,
  files: readonly string[],
  outputs: Outputs | undefined,
  options: PredictOptions,
  { signal, listener }: PredictWork,
): Promise<PredictResult> {
  const { facts } = classifier;
  const { neighbors } = options;
  const predictions: Prediction[] = [];
  const failed: Failure[] = [];
  const labels = new Map<string, number>();
  const counts = { answered: 0, unknown: 0, failed: 0 };
  const before = outputs?.before ?? 0;
  const meter = progressMeter('predicting', before + files.length, listener);
  if (before > 0) meter.advance(before, 0);

  async function take(row: Answered | Failure): Promise<void> {
    const isFailure = 'reason' in row;
    const said = isFailure ? row : predictionOf(row, options);
    await outputs?.write(said);
    if ('reason' in said) {
      counts.failed++;
      if (outputs === undefined || failed.length < TOLD_FAILURES) failed.push(said);
    } else {
      counts.answered++;
      if (said.unknown) counts.unknown++;
      labels.set(said.label, (labels.get(said.label) ?? 0) + 1);
      if (outputs === undefined) predictions.push(said);
    }
    meter.advance(1, isFailure ? 0 : 1);
  }
  try {
    for await (const row of classifier.stream(files, { neighbors, signal })) await take(row);
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'INTERRUPTED') throw error;
    const done = `Interrupted after ${before + counts.answered + counts.failed} of ${before + files.length} images`;
    const left = outputs === undefined ? 'nothing is stored' : 'what is written stays, and the same command goes on';
    throw new PermafrostError('INTERRUPTED', `${done}; ${left}.`, { cause: signal?.reason });
  }
  const { head, contract, engine, others, agreement } = facts;
  return {
    head,
    contract,
    engine,
    ...(others.length > 0 && { others }),
    ...(agreement !== null && { agreement }),
    predictions,
    failed,
    counts: { images: before + files.length, ...counts, before, labels: Object.fromEntries(labels) },
    ...(await outputs?.finish()),
  };
}
