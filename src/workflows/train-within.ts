import { trainingData, type TrainedHead } from './evaluate.ts';
import { notCalibrated, withReject } from './reject.ts';
import { trainOnViews, withWorth } from './train-on-views.ts';
import type { TrainOptions } from './train-options.ts';
import { reasonToStream, trainStreamed, type StreamedPlan } from './train-streamed.ts';
import type { Work } from './work.ts';

/**
 * A head of the plan with its rule for "unknown": trained in memory where there is room for the features, else in streams, which is said. Throws what
 * trainingData, trainOnViews, withReject and trainStreamed throw.
 */
export async function trainWithin(
  plan: StreamedPlan,
  { views, reject }: Pick<TrainOptions, 'views' | 'reject'>,
  work: Work,
): Promise<TrainedHead> {
  const { store, manifest, features, samples } = plan;
  const reason = await reasonToStream({ ...plan, views });
  if (reason === undefined) {
    const data = await trainingData(store, manifest, features, { views, ...(samples && { samples }) });
    return withReject(await trainOnViews(plan, data, work.signal), plan, data, reject, work);
  }
  work.listener?.note?.(`The features are read in streams: ${reason}.`);
  if (views === 0) return trainStreamed(plan, work, reject);
  const trained = await trainStreamed({ ...plan, views }, work);
  const told = withWorth(trained, await trainStreamed(plan, work), views);
  return notCalibrated(told, reject, 'on heads that are trained on views');
}
