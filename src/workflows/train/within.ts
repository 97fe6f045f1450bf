import { trainingData, type TrainedHead, type TrainingData } from './evaluate.ts';
import { withoutRule, withReject } from './reject.ts';
import { withSampledReject } from './reject-streamed.ts';
import { trainOnViews, withWorth } from './on-views.ts';
import type { TrainOptions } from './options.ts';
import { reasonToStream, trainStreamed, type StreamedPlan } from './train-streamed.ts';
import type { Work } from '../work.ts';

/**
 * A head of the plan with its rule for "unknown": trained in memory where there is room for the features, else in
 * streams, which is said. Throws what trainingData, trainOnViews, withReject and trainStreamed throw.
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
    const trained = await trainOnViews(plan, data, work.signal);
    return calibrated(trained, plan, () => Promise.resolve(data), reject, work);
  }
  work.listener?.note?.(`The features are read in streams: ${reason}.`);
  const trained = await trainStreamed({ ...plan, views }, work);
  const told = views === 0 ? trained : withWorth(trained, await trainStreamed(plan, work), views);
  return calibrated(told, plan, undefined, reject, work);
}

/**
 * The trained head with its rule for "unknown" at a share `reject` of false rejects; without one where there can be
 * none, and why. `load` gives the features that it was trained on; undefined: they were read in streams. Throws what
 * `load`, withReject and withSampledReject throw.
 */
export async function calibrated(
  trained: TrainedHead,
  plan: StreamedPlan,
  load: (() => Promise<TrainingData>) | undefined,
  reject: number,
  work: Work,
): Promise<TrainedHead> {
  if (reject === 0) return trained;
  // Their rows out of fold would need their views out of fold.
  if (trained.result.views !== undefined)
    return withoutRule(trained, reject, 'that is not calibrated on heads that are trained on views');
  if (load === undefined) return withSampledReject(trained, plan, reject, work);
  return withReject(trained, plan, await load(), reject, work);
}
