import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { IndexResult, NeighborResult, NeighborsResult } from '../../results/answer-results.ts';
import { SPLITS } from '../../core/sample.ts';
import { balanced } from '../../classify/normalize.ts';
import type { Matrix } from '../../core/matrix.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { openStore } from '../../store/open.ts';
import { isSameNetwork, storedNetworks } from '../../store/read/stored-networks.ts';
import { madeOfMaps, partsText, type StoredPart } from '../../store/read/stored-parts.ts';
import { chosenFeatures } from '../network/cuts.ts';
import type { ExtractedImages } from '../network/extract-images.ts';
import { indexFor } from './choose-index.ts';
import { exactNeighbors, merged, nearest } from './exact-neighbors.ts';
import { givenImages } from './given-images.ts';
import type { Work } from '../work.ts';
import { judgeOfStore } from '../network/agreement/stored-pairs.ts';
import { imagesExtractor, type PartsOfNetwork } from './side-by-side.ts';
import { layersOfSet } from '../network/tuned-layers.ts';
import { checkGraphBound, hnswOfStore, type GraphPlan } from './hnsw-index.ts';
import { storeThrough } from '../train/files/store-through.ts';
import { memoryBound } from '../memory.ts';
import { NEIGHBORS_OPTIONS, type NeighborsOptions } from './neighbors-options.ts';

/** The nearest images by the graphs of each split in turn, opened or built; then what was found of the graphs. */
async function graphSearch(
  plan: GraphPlan,
  X: Matrix,
  options: NeighborsOptions,
  work: Work,
): Promise<{ readonly lists: NeighborResult[][]; readonly found: readonly IndexResult[] }> {
  const { store, parts, splits } = plan;
  const widths = parts.map(({ width }) => width);
  const found: IndexResult[] = [];
  const lists: NeighborResult[][][] = [];
  for (const split of splits) {
    const rows = await store.rows({ parts, splits: [split], memory: 'matrix' });
    if (rows.rows === 0) continue;
    const graphs = await hnswOfStore(plan, balanced(rows.matrix, widths), { ...options, split }, work);
    try {
      lists.push(await nearest(rows, graphs.index, balanced(X, widths), options.k));
    } finally {
      await graphs.end();
    }
    found.push(graphs.result);
  }
  return { lists: merged(lists, X.rows, options.k), found };
}

/** The networks of stored parts, each with what goes with its features. */
async function networksOf(
  store: string,
  parts: readonly StoredPart[],
): Promise<readonly [PartsOfNetwork, ...PartsOfNetwork[]]> {
  const found = parts.filter(({ set }, i) => parts.findIndex((part) => isSameNetwork(part.set, set)) === i);
  const [first, ...others] = await Promise.all(
    found.map(async ({ set }): Promise<PartsOfNetwork> => {
      const { settings, quantization, network: known } = set;
      const own = parts.flatMap(({ set: { settings: of }, pooling, width }, at) =>
        isSameNetwork({ settings: of }, set) ? [{ cut: of.cut, pooling, width, at }] : [],
      );
      const tuned = await layersOfSet(store, set);
      const calibrate = () => readCalibration(store, quantization!.calibration, settings.calibration);
      return { settings, known, tuned, calibrate, parts: own };
    }),
  );
  return [first!, ...others];
}

/**
 * Finds the stored images nearest to the given ones, or to all in folders, under the store's settings: exactly, or by
 * kept graphs, or by what answers sooner. Throws OPTION_INVALID, DATASET_EMPTY for a folder without images, and what
 * extraction, `exactNeighbors` and `hnswOfStore` throw.
 */
export async function neighbors(
  storePath: string,
  images: readonly string[],
  given: Partial<NeighborsOptions> = {},
  work: Work = {},
): Promise<NeighborsResult> {
  const { listener } = work;
  const options = resolveOptions('neighbors', NEIGHBORS_OPTIONS, given);
  const { k, metric } = options;
  for (const key of ['recall', 'graphs'] as const) {
    if (options.index !== 'exact' || given[key] === undefined) continue;
    throw new PermafrostError(
      'OPTION_INVALID',
      `neighbors: ${key} is ${given[key]}, but the index "exact" finds all neighbours. Add --index hnsw, or leave ${key} out.`,
    );
  }
  const files = await givenImages(images, { listener });
  const store = await storeThrough(await openStore(storePath), options.backboneFile);
  const parts = store.parts(chosenFeatures(options.cut, options.pooling));
  for (const note of madeOfMaps(parts)) listener?.note?.(note);
  const splits = options.split === 'all' ? SPLITS : (['train'] as const);
  const bound = memoryBound(options.memory);
  const plan = { owner: 'neighbors', store, parts, splits, metric, bound, otherBytes: 0 };
  const choice = options.index === 'auto' ? await indexFor(plan, files.length, options.graphs) : undefined;
  if (choice !== undefined) listener?.note?.(`index: ${choice.index}. ${choice.why}.`);
  const exact = (choice ?? options).index === 'exact' ? await exactNeighbors(plan, work) : undefined;
  if (exact === undefined) await checkGraphBound(plan);
  const extractor = await imagesExtractor(
    await networksOf(store.path, parts),
    options,
    judgeOfStore(store, parts),
    listener,
  );
  let extracted: ExtractedImages;
  try {
    extracted = await extractor.extract(files, work);
  } finally {
    // Before the search: network and features need not be in memory at the same time.
    await extractor.dispose();
  }
  const { paths, X, failed } = extracted;
  const { lists, found } =
    exact === undefined
      ? await graphSearch(plan, X, options, work)
      : { lists: await exact(X, k), found: 'exact' as const };
  const queries = paths.map((path, i) => ({ path, neighbors: lists[i]! }));
  return {
    store: store.path,
    pooling: partsText(storedNetworks(store)[0].sets[0].name, parts),
    metric,
    engine: extractor.engine,
    ...(extractor.agreement && { agreement: extractor.agreement }),
    index: found,
    ...(choice !== undefined && { indexChosen: choice.why }),
    queries,
    failed,
  };
}
