import type { SweepConfiguration } from '../../results/sweep-result.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import { storedParts } from '../../store/read/parts.ts';
import { loadFeatures } from '../../store/read/reader.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import { featuresOf } from './grid.ts';
import type { SweepRoom } from './memory.ts';
import type { SweepPlan } from './plan.ts';
import { featuresKey, type SharedFeatures, type SweepData } from './pool.ts';

/** Where features come from, and how much of them a thread may keep. */
export interface SweptImages {
  readonly store: string;
  readonly manifest: Manifest;
  /** The images that are cross-validated. */
  readonly samples: readonly StoredSample[];
  readonly room: SweepRoom;
}

/**
 * The features that configurations need, in shared memory, and what else every thread reads. Throws what loadFeatures
 * throws.
 */
export async function sharedData(
  { store, manifest, samples, room }: SweptImages,
  { y, classes, folds }: SweepPlan,
  missing: readonly SweepConfiguration[],
): Promise<SweepData> {
  const features: Record<string, SharedFeatures> = {};
  for (const one of missing) {
    const key = featuresKey(one);
    if (features[key] !== undefined) continue;
    const parts = storedParts(store, manifest, featuresOf(one));
    const load = async (view: number) =>
      (await loadFeatures(store, manifest, parts, ['train'], { view, samples, shared: true })).get('train')!
        .X;
    const { data, rows, cols } = await load(0);
    const most = Math.max(...missing.filter((other) => featuresKey(other) === key).map(({ views }) => views));
    const views: Float32Array[] = [];
    for (let view = 1; view <= most; view++) views.push((await load(view)).data);
    features[key] = { data, rows, cols, parts: parts.map(({ width }) => width), views };
  }
  return { features, y, classes, folds, mostKept: room.mostKept };
}
