import { mcNemar, pairedBootstrap } from '../classify/paired-tests.ts';
import { trainHead, type HeadPlan, type TrainedHead, type TrainingData } from './evaluate.ts';

/** Seed of the bootstrap. */
const SEED = 1;

/**
 * Trains a head on the images and their views, where there are some, and tells what the views were worth on the validated images, beside `without`: the same head on
 * the images alone, which is trained here where it is not given.
 */
export async function trainOnViews(
  plan: HeadPlan,
  data: TrainingData,
  signal?: AbortSignal,
  without?: Pick<TrainedHead, 'result' | 'judged'>,
): Promise<TrainedHead> {
  const count = data.views?.length ?? 0;
  const trained = await trainHead(plan, data, signal);
  if (count === 0) return trained;
  const plain = without ?? (await trainHead(plan, { ...data, views: [] }, signal));
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
