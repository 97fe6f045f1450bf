import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions, without } from '../../core/options.ts';
import type { Failure } from '../../core/sample.ts';
import type { Answered, PredictResult } from '../../results/answer-results.ts';
import { openClassifier, type Classifier } from '../classifier/classifier.ts';
import { progressMeter } from '../progress-meter.ts';
import { givenImages } from '../search/given-images.ts';
import type { Work } from '../work.ts';
import { PREDICT_OPTIONS, type PredictOptions } from './options.ts';

export type { PredictOptions } from './options.ts';

/**
 * Classifies images, and all images in folders, with a head: a file, or a store, whose best head it is; under the
 * contract, cut, weights and engine class of its training. Throws OPTION_INVALID; DATASET_EMPTY for a folder without
 * images; INTERRUPTED; and what openClassifier throws.
 */
export async function predict(
  headOrStore: string,
  images: readonly string[],
  given: Partial<PredictOptions> = {},
  work: Work = {},
): Promise<PredictResult> {
  const options = resolveOptions('predict', PREDICT_OPTIONS, given);
  const files = await givenImages(images, work.listener);
  const classifier = await openClassifier(headOrStore, without(options, 'neighbors'), work);
  try {
    return await answered(classifier, files, options, work);
  } finally {
    await classifier.close();
  }
}

async function answered(
  { facts, stream }: Classifier,
  files: readonly string[],
  { neighbors }: PredictOptions,
  { signal, listener }: Work,
): Promise<PredictResult> {
  const predictions: Answered[] = [];
  const failed: Failure[] = [];
  const meter = progressMeter('predicting', files.length, listener);
  try {
    for await (const one of stream(files, { neighbors, signal })) {
      if ('reason' in one) failed.push(one);
      else predictions.push(one);
      meter.advance(1, 'reason' in one ? 0 : 1);
    }
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'INTERRUPTED') throw error;
    const done = predictions.length + failed.length;
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted after ${done} of ${files.length} images; nothing is stored.`,
      { cause: signal?.reason },
    );
  }
  const { head, contract, engine, others, agreement } = facts;
  const added = { ...(others.length > 0 && { others }), ...(agreement !== null && { agreement }) };
  return { head, contract, engine, ...added, predictions, failed };
}
