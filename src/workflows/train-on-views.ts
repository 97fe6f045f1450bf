import { topClass } from '../classify/metrics.ts';
import { mcNemar, pairedBootstrap } from '../classify/paired-tests.ts';
import { probabilities, trainHead, type HeadPlan, type TrainedHead, type TrainingData } from './evaluate.ts';

/** Seed of the bootstrap. */
const SEED = 1;

/** Trains a head on the images and their views, and for comparison on the images alone; tells what the views were worth on the validated images. */
export async function trainOnViews(
  plan: HeadPlan,
  data: TrainingData,
  signal?: AbortSignal,
): Promise<TrainedHead> {
  const count = data.views?.length ?? 0;
  const trained = await trainHead(plan, data, signal);
  if (count === 0) return trained;
  const plain = await trainHead(plan, { ...data, views: [] }, signal);
  const { classes } = trained.head;
  const truth = Int32Array.from(data.val.samples, ({ label }) => classes.indexOf(label));
  const [withViews, without] = [
    topClass(await probabilities(trained, data.val.X)),
    topClass(await probabilities(plain, data.val.X)),
  ];
  const { difference, interval } = pairedBootstrap(truth, withViews, without, { seed: SEED });
  const { pValue } = mcNemar(truth, withViews, without);
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
