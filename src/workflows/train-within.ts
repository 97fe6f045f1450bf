import { PermafrostError } from '../core/errors.ts';
import { trainingData, type TrainedHead } from './evaluate.ts';
import { notCalibrated, withReject } from './reject.ts';
import { trainOnViews } from './train-on-views.ts';
import type { TrainOptions } from './train-options.ts';
import { reasonToStream, trainStreamed, type StreamedPlan } from './train-streamed.ts';
import type { Work } from './work.ts';

/**
 * A head of the plan with its rule for "unknown": trained in memory where there is room for the features, else in streams, which is said. Throws what
 * trainingData, trainOnViews, withReject and trainStreamed throw; OPTION_INVALID for views in streams.
 */
export async function trainWithin(
  plan: StreamedPlan,
  { views, reject }: Pick<TrainOptions, 'views' | 'reject'>,
  work: Work,
): Promise<TrainedHead> {
  const { store, manifest, features, samples } = plan;
  const reason = await reasonToStream(plan);
  if (reason === undefined) {
    const data = await trainingData(store, manifest, features, { views, ...(samples && { samples }) });
    return withReject(await trainOnViews(plan, data, work.signal), plan, data, reject, work);
  }
  if (views > 0)
    throw new PermafrostError(
      'OPTION_INVALID',
      `Views cannot be trained on in streams, and here ${reason}. Leave --views out, use --pooling avg, or allow more memory.`,
    );
  work.listener?.note?.(`The features are read in streams: ${reason}.`);
  const trained = await trainStreamed(plan, work);
  return notCalibrated(trained, reject, 'on features that are read in streams');
}
