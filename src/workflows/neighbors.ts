import { resolve } from 'node:path';
import { resolveOptions } from '../core/options.ts';
import type { Matrix } from '../core/matrix.ts';
import type { NeighborResult, NeighborsResult } from '../core/results.ts';
import { SPLITS } from '../core/sample.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import type { Metric } from '../classify/neighbors/neighbor-index.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { readCalibration } from '../store/calibration-file.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet } from '../store/parts.ts';
import { loadFeatures, type LoadedFeatures } from '../store/reader.ts';
import { describeImages } from './describe-images.ts';
import type { Work } from './extract.ts';
import { featureSource } from './feature-source.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** The k nearest stored images of each row of X, nearest first, by exact search; none where none are stored. */
export async function nearest(
  { X: stored, samples }: LoadedFeatures,
  X: Matrix,
  k: number,
  metric: Metric,
): Promise<NeighborResult[][]> {
  if (samples.length === 0) return Array.from({ length: X.rows }, () => []);
  const found = await exactIndex(stored, metric).search(X, k);
  return Array.from({ length: X.rows }, (_, q) =>
    Array.from({ length: found.k }, (_unused, j) => {
      const at = q * found.k + j;
      const { id, path, label, split } = samples[found.indices[at]!]!;
      return { id, path, label, split, distance: found.distances[at]! };
    }),
  );
}

/** Finds the stored images that are nearest to the given ones, by the settings of the store's features. */
export async function neighbors(
  storePath: string,
  images: readonly string[],
  given: Partial<NeighborsOptions> = {},
  { signal, listener }: Work = {},
): Promise<NeighborsResult> {
  const options = resolveOptions('neighbors', NEIGHBORS_OPTIONS, given);
  const { k, pooling, metric } = options;
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const { settings, quantization } = currentSet(store, manifest);
  const splits = options.split === 'all' ? SPLITS : (['train'] as const);
  const loaded = await loadFeatures(store, manifest, pooling, splits);
  const source = await featureSource(
    {
      ...settings,
      ...options,
      cuts: [{ cut: settings.cut, poolings: [pooling] }],
      weights: options.weights || undefined,
      calibrate: () => readCalibration(store, quantization!.calibration, settings.calibration),
    },
    listener,
  );
  try {
    requireSameSettings('What this engine and these weights give', settings, source.sets[0].settings);
    const { paths, X, failed } = await describeImages(images, source, signal);
    const lists = await Promise.all([...loaded.values()].map((part) => nearest(part, X, k, metric)));
    const queries = paths.map((path, i) => ({
      path,
      neighbors: lists
        .flatMap((list) => list[i] ?? [])
        .sort((a, b) => a.distance - b.distance)
        .slice(0, k),
    }));
    return { store, pooling, metric, queries, failed };
  } finally {
    await source.executable.dispose();
  }
}
