import { mcNemar, pairedBootstrap } from '../../classify/evaluate/paired-tests.ts';
import { trainHead, type HeadPlan, type TrainedHead, type TrainingData } from './evaluate.ts';

/** A head as it did on the validated images. */
type Judged = Pick<TrainedHead, 'result' | 'judged'>;

/** Seed of the bootstrap. */
const SEED = 1;

/**
 * Trains a head on the images and their views, where there are some, and tells what the views were worth on the
 * validated images, beside `without`: the same head on the images alone, which is trained here where it is not given.
 */
export async function trainOnViews(
  plan: HeadPlan,
  data: TrainingData,
  signal?: AbortSignal,
  without?: Judged,
): Promise<TrainedHead> {
  const count = data.views?.length ?? 0;
  const trained = await trainHead(plan, data, signal);
  if (count === 0) return trained;
  return withWorth(trained, without ?? (await trainHead(plan, { ...data, views: [] }, signal)), count);
}

/**
 * The head trained on images and `count` views of each, with what these were worth beside the same head on the images
 * alone.
 */
export function withWorth(trained: TrainedHead, plain: Judged, count: number): TrainedHead {
  const { truth, guess } = trained.judged;
  const plainGuess = plain.judged.guess;
  const { difference, interval } = pairedBootstrap(truth, guess, plainGuess, { seed: SEED });
  const { pValue } = mcNemar(truth, guess, plainGuess);
  const views = { count, accuracyWithout: plain.result.accuracy, difference, interval, pValue };
  const { params, changed } = trained.result;
  return {
    ...trained,
    result: {
      ...trained.result,
      params: { ...params, views: count },
      changed: { ...changed, views: count },
      views,
    },
  };
}
