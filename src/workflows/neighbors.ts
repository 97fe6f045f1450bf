import { resolve } from 'node:path';
import { resolveOptions } from '../core/options.ts';
import type { Matrix } from '../core/matrix.ts';
import type { NeighborResult, NeighborsResult } from '../core/results.ts';
import { SPLITS, type Pooling, type Split } from '../core/sample.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import type { Metric, NeighborIndex } from '../classify/neighbors/neighbor-index.ts';
import { streamedIndex } from '../classify/streams/streamed-index.ts';
import { streamFeatures } from '../store/feature-stream.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { readCalibration } from '../store/calibration-file.ts';
import { readManifest, type Manifest } from '../store/manifest.ts';
import { currentSet, loadFeatures, MAX_MATRIX_BYTES, readSamples } from '../store/reader.ts';
import type { StoredSample } from '../store/shard.ts';
import { describeImages } from './describe-images.ts';
import type { Work } from './extract.ts';
import { featureSource } from './feature-source.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** Stored images of one split, to be searched. */
export interface StoredIndex {
  readonly index: NeighborIndex;
  readonly samples: readonly StoredSample[];
}

/** The stored images of a split: in memory, or read in streams where they would pass 4 GiB. Throws STORE_EMPTY, STORE_CORRUPT. */
export async function storedIndex(
  store: string,
  manifest: Manifest,
  pooling: Pooling,
  split: Split,
  metric: Metric,
): Promise<StoredIndex> {
  const count = (await readSamples(store, manifest)).filter((sample) => sample.split === split).length;
  if (count * currentSet(store, manifest).widths[pooling] * 4 > MAX_MATRIX_BYTES) {
    const stream = await streamFeatures(store, manifest, pooling, split);
    return { index: streamedIndex(stream, metric), samples: stream.samples };
  }
  const { X, samples } = (await loadFeatures(store, manifest, pooling, [split])).get(split)!;
  return { index: exactIndex(X, metric), samples };
}

/** The k nearest stored images of each row of X, nearest first, by exact search; none where none are stored. */
export async function nearest(
  { index, samples }: StoredIndex,
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
  const parts: StoredIndex[] = [];
  for (const split of splits) parts.push(await storedIndex(store, manifest, pooling, split, metric));
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
    const lists = await Promise.all(parts.map((part) => nearest(part, X, k)));
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
