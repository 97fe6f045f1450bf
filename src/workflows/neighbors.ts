import { resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { Matrix } from '../core/matrix.ts';
import type { IndexResult, NeighborResult, NeighborsResult } from '../core/answer-results.ts';
import { SPLITS } from '../core/sample.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import { balanced } from '../classify/normalize.ts';
import type { NeighborIndex } from '../classify/neighbors/neighbor-index.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { readCalibration } from '../store/calibration-file.ts';
import { readManifest } from '../store/manifest.ts';
import { partsText, storedParts } from '../store/parts.ts';
import { loadFeatures, type LoadedFeatures } from '../store/reader.ts';
import { cutsOfParts, parseCuts, partsOf } from './cut-plan.ts';
import { describeImages } from './describe-images.ts';
import type { Work } from './work.ts';
import { featureSource } from './feature-source.ts';
import { hnswOfStore } from './hnsw-index.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** The k nearest stored images of each row of X, nearest first, as `index` over the stored rows finds them; none where none are stored. */
export async function nearest(
  { samples }: Pick<LoadedFeatures, 'samples'>,
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
  const { k, metric } = options;
  if (options.index === 'exact' && given.recall !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `neighbors: recall is ${given.recall}, but the index "exact" finds all neighbours. Add --index hnsw, or leave recall out.`,
    );
  }
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const features = options.cut === '' ? options.pooling : partsOf(parseCuts(options.cut, [options.pooling]));
  const parts = storedParts(store, manifest, features);
  const { settings, quantization } = parts[0]!.set;
  const widths = parts.map(({ width }) => width);
  const splits = options.split === 'all' ? SPLITS : (['train'] as const);
  const loaded = await loadFeatures(store, manifest, parts, splits);
  const indices: IndexResult[] = [];
  const searched: { readonly part: LoadedFeatures; readonly index: NeighborIndex }[] = [];
  for (const [split, { X, samples }] of loaded) {
    const part = { X: balanced(X, widths), samples };
    if (options.index === 'exact' || samples.length === 0) {
      searched.push({ part, index: exactIndex(part.X, metric) });
      continue;
    }
    const found = await hnswOfStore(store, manifest, part, { ...options, parts, split }, work);
    searched.push({ part, index: found.index });
    indices.push(found.result);
  }
  const source = await featureSource(
    {
      ...settings,
      ...options,
      cuts: cutsOfParts(parts),
      weights: options.weights || undefined,
      calibrate: () => readCalibration(store, quantization!.calibration, settings.calibration),
    },
    listener,
  );
  try {
    requireSameSettings('What this engine and these weights give', settings, source.sets[0].settings);
    const { paths, X, failed } = await describeImages(images, source, signal);
    const lists = await Promise.all(
      searched.map(({ part, index }) => nearest(part, index, balanced(X, widths), k)),
    );
    const queries = paths.map((path, i) => ({
      path,
      neighbors: lists
        .flatMap((list) => list[i] ?? [])
        .sort((a, b) => a.distance - b.distance)
        .slice(0, k),
    }));
    const index = options.index === 'exact' ? 'exact' : indices;
    return { store, pooling: partsText(store, manifest, parts), metric, index, queries, failed };
  } finally {
    await source.executable.dispose();
  }
}
