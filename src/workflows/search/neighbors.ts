import { resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { IndexResult, NeighborsResult } from '../../results/answer-results.ts';
import { SPLITS } from '../../core/sample.ts';
import { balanced } from '../../classify/normalize.ts';
import type { NeighborIndex } from '../../classify/neighbors/neighbor-index.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { readManifest } from '../../store/format/manifest.ts';
import { partsText, storedParts } from '../../store/read/parts.ts';
import { loadFeatures, type LoadedFeatures } from '../../store/read/reader.ts';
import { cutsOfParts, parseCuts, partsOf } from '../network/cuts.ts';
import { describeImages, type DescribedImages } from '../network/describe-images.ts';
import { exactNeighbors, merged, nearest, type Search } from './exact-neighbors.ts';
import type { Work } from '../work.ts';
import { sourceLike } from '../network/feature-source.ts';
import { checkGraphBound, hnswOfStore, type GraphPlan } from './hnsw-index.ts';
import { memoryBound } from '../memory.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** By one graph a split, opened or built; then what was found of the graphs. */
async function graphSearch(
  plan: GraphPlan,
  options: NeighborsOptions,
  work: Work,
): Promise<{ readonly search: Search; readonly found: readonly IndexResult[] }> {
  const { store, manifest, parts, splits } = plan;
  const widths = parts.map(({ width }) => width);
  const loaded = await loadFeatures(store, manifest, parts, splits);
  const found: IndexResult[] = [];
  const searched: { readonly rows: LoadedFeatures; readonly index: NeighborIndex }[] = [];
  for (const [split, { X, samples }] of loaded) {
    if (samples.length === 0) continue;
    const rows = { X: balanced(X, widths), samples };
    const { index, result } = await hnswOfStore(plan, rows, { ...options, split }, work);
    searched.push({ rows, index });
    found.push(result);
  }
  const search: Search = async (X, k) => {
    const lists = searched.map(({ rows, index }) => nearest(rows, index, balanced(X, widths), k));
    return merged(await Promise.all(lists), X.rows, k);
  };
  return { search, found };
}

/**
 * Finds the stored images that are nearest to the given ones, by the settings of the store's features: exactly, or by a
 * graph that is kept in the store. Throws OPTION_INVALID, and what extraction of the images, `exactNeighbors` and
 * `hnswOfStore` throw.
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
  for (const key of ['recall', 'graphs'] as const) {
    if (options.index !== 'exact' || given[key] === undefined) continue;
    throw new PermafrostError(
      'OPTION_INVALID',
      `neighbors: ${key} is ${given[key]}, but the index "exact" finds all neighbours. Add --index hnsw, or leave ${key} out.`,
    );
  }
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const features = options.cut === '' ? options.pooling : partsOf(parseCuts(options.cut, [options.pooling]));
  const parts = storedParts(store, manifest, features);
  const { settings, quantization } = parts[0]!.set;
  const splits = options.split === 'all' ? SPLITS : (['train'] as const);
  const bound = memoryBound(options.memory);
  const plan = { owner: 'neighbors', store, manifest, parts, splits, metric, bound, beside: 0 };
  const exact = options.index === 'exact' ? await exactNeighbors(plan, work) : undefined;
  if (exact === undefined) await checkGraphBound(plan);
  const source = await sourceLike(
    settings,
    {
      ...options,
      cuts: cutsOfParts(parts),
      weights: options.weights || undefined,
      calibrate: () => readCalibration(store, quantization!.calibration, settings.calibration),
    },
    listener,
  );
  let described: DescribedImages;
  try {
    described = await describeImages(images, source, signal);
  } finally {
    // Before the search: network and features need not be in memory at the same time.
    await source.executable.dispose();
  }
  const { paths, X, failed } = described;
  const { search, found } =
    exact === undefined ? await graphSearch(plan, options, work) : { search: exact, found: 'exact' as const };
  const lists = await search(X, k);
  const queries = paths.map((path, i) => ({ path, neighbors: lists[i]! }));
  return { store, pooling: partsText(store, manifest, parts), metric, index: found, queries, failed };
}
