import type { FeaturePart, Pooling } from '../../core/sample.ts';
import { trainingData, type TrainingData, type TrainingRequest } from '../train/data.ts';
import { heldOutRows, type HeldOutRows } from '../train/held-out-rows.ts';
import type { TrainingPlan } from '../train/plan.ts';
import type { Work } from '../work.ts';

/** Features of the store to train on and to validate on, and folds of the training images. */
export interface TrialFeatures {
  readonly data: TrainingData;
  readonly heldOut: HeldOutRows;
}

/** Those features, read for such a plan. Throws as trainingData. */
export async function trialFeatures(
  request: Omit<TrainingRequest, 'features' | 'views'>,
  features: Pooling | readonly FeaturePart[],
  plan: TrainingPlan,
  work: Work,
): Promise<TrialFeatures> {
  const data = await trainingData({ ...request, features, views: 0 }, [plan]);
  return { data, heldOut: await heldOutRows(data, work) };
}
