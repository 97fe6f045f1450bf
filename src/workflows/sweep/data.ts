import type { SweepConfiguration } from '../../results/sweep-result.ts';
import type { Store } from '../../store/open.ts';
import { featuresOf } from './grid.ts';
import type { SweepRoom } from './memory.ts';
import type { SweepPlan } from './plan.ts';
import { featuresKey, type SharedFeatures, type SweepData } from './pool.ts';

/** What every thread reads: the features that configurations need, in shared memory. Throws what Store.rows throws. */
export async function sharedData(
  store: Store,
  { y, classes, folds }: SweepPlan,
  { mostKept }: SweepRoom,
  missing: readonly SweepConfiguration[],
): Promise<SweepData> {
  const features: Record<string, SharedFeatures> = {};
  for (const one of missing) {
    const key = featuresKey(one);
    if (features[key] !== undefined) continue;
    const views = Math.max(...missing.filter((other) => featuresKey(other) === key).map((other) => other.views));
    const request = { parts: featuresOf(one), splits: ['train'], views, shared: true } as const;
    const loaded = await store.rows({ ...request, memory: 'matrix' });
    features[key] = {
      ...loaded.matrix,
      parts: loaded.parts.map(({ width }) => width),
      views: loaded.views.map((view) => view.matrix.data),
    };
  }
  return { features, y, classes, folds, mostKept };
}
