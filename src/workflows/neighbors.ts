import { resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { Matrix } from '../core/matrix.ts';
import type { IndexResult, NeighborResult, NeighborsResult } from '../core/results.ts';
import { SPLITS } from '../core/sample.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import type { NeighborIndex } from '../classify/neighbors/neighbor-index.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { readCalibration } from '../store/calibration-file.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet, loadFeatures, type LoadedFeatures } from '../store/reader.ts';
import { describeImages } from './describe-images.ts';
import type { Work } from './extract.ts';
import { featureSource } from './feature-source.ts';
import { hnswOfStore } from './hnsw-index.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** The k nearest stored images of each row of X, nearest first, as `index` over the stored rows finds them; none where none are stored. */
export async function nearest(
  { samples }: LoadedFeatures,
  index: NeighborIndex,
  X: Matrix,
  k: number,
): Promise<NeighborResult[][]> {
  if (samples.length === 0) return Array.from({ length: X.rows }, () => []);
  const found = await index.search(X, k);
  return Array.from({ length: X.rows }, (_, q) =>
    Array.from({ length: found.k }, (_unused, j) => {
      const at = q * found.k + j;
      const { id, path, label, split } = samples[found.indices[at]!]!;
      return { id, path, label, split, distance: found.distances[at]! };
    }),
  );
}

/**
 * Finds the stored images that are nearest to the given ones, by the settings of the store's features: exactly, or by a graph that is kept in
 * the store. Throws OPTION_INVALID, and what extraction of the images and `hnswOfStore` throw.
 */
export async function neighbors(
  storePath: string,
  images: readonly string[],
  given: Partial<NeighborsOptions> = {},
  work: Work = {},
): Promise<NeighborsResult> {
  const { signal, listener } = work;
  const options = resolveOptions('neighbors', NEIGHBORS_OPTIONS, given);
  const { k, pooling, metric } = options;
  if (options.index === 'exact' && given.recall !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `neighbors: recall is ${given.recall}, but the index "exact" finds all neighbours. Add --index hnsw, or leave recall out.`,
    );
  }
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const { settings, quantization } = currentSet(store, manifest);
  const splits = options.split === 'all' ? SPLITS : (['train'] as const);
  const loaded = await loadFeatures(store, manifest, pooling, splits);
  const indices: IndexResult[] = [];
  const parts: { readonly part: LoadedFeatures; readonly index: NeighborIndex }[] = [];
  for (const [split, part] of loaded) {
    if (options.index === 'exact' || part.samples.length === 0) {
      parts.push({ part, index: exactIndex(part.X, metric) });
      continue;
    }
    const found = await hnswOfStore(store, manifest, part, { ...options, split }, work);
    parts.push({ part, index: found.index });
    indices.push(found.result);
  }
  const source = await featureSource(
    {
      ...settings,
      ...options,
      weights: options.weights || undefined,
      calibrate: () => readCalibration(store, quantization!.calibration, settings.calibration),
    },
    listener,
  );
  try {
    requireSameSettings('What this engine and these weights give', settings, source.settings);
    const { paths, X, failed } = await describeImages(images, source, pooling, signal);
    const lists = await Promise.all(parts.map(({ part, index }) => nearest(part, index, X, k)));
    const queries = paths.map((path, i) => ({
      path,
      neighbors: lists
        .flatMap((list) => list[i] ?? [])
        .sort((a, b) => a.distance - b.distance)
        .slice(0, k),
    }));
    return { store, pooling, metric, index: options.index === 'exact' ? 'exact' : indices, queries, failed };
  } finally {
    await source.executable.dispose();
  }
}
