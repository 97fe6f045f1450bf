import { PermafrostError } from '../../core/errors.ts';
import { defaultsOf } from '../../core/options.ts';
import type { IndexResult } from '../../results/answer-results.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Split } from '../../core/sample.ts';
import { KNN_HNSW_OPTIONS } from '../../classify/heads/knn-hnsw.ts';
import { chooseEf, graphIndex } from '../../classify/neighbors/hnsw.ts';
import { readGraph, type HnswGraph } from '../../classify/neighbors/hnsw-graph.ts';
import { buildGraphFiles } from '../../classify/neighbors/hnsw-threads.ts';
import type { NeighborIndex } from '../../classify/neighbors/neighbor-index.ts';
import { measureRecall } from '../../classify/neighbors/recall.ts';
import { findIndex, keepIndex, type FoundIndex, type IndexRecall } from '../../store/format/index-file.ts';
import type { StoredPart } from '../../store/read/stored-parts.ts';
import type { SearchPlan } from './exact-neighbors.ts';
import { BASE_BYTES, checkBound } from '../memory.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Work } from '../work.ts';

/** Rows that recall is measured on: at recall 0.99 and k = 5 the standard error is 0.003. */
const SAMPLE = 200;

export interface GraphPlan extends SearchPlan {
  readonly parts: readonly StoredPart[];
}

/** What a search by graphs must find, and how many graphs share the rows. */
export interface HnswRequest {
  readonly split: Split;
  readonly k: number;
  readonly recall: number;
  readonly graphs: number;
}

/** Bytes of a row in a graph with 16 links, without its features: 32 links below, those above, its number. */
const GRAPH_ROW_BYTES = 180;

/** Throws OPTION_INVALID where the features and their graph, which must be in memory, need more than the bound. */
export async function checkGraphBound({ owner, store, parts, splits, bound }: SearchPlan): Promise<void> {
  const counts = await store.counts();
  const rows = splits.reduce((sum, split) => sum + counts[split], 0);
  const rowBytes = 4 * parts.reduce((sum, { width }) => sum + width, 0);
  // As they are stored or balanced, and as the graph keeps them.
  const needed = BASE_BYTES + rows * (rowBytes * (parts.length > 1 ? 3 : 2) + GRAPH_ROW_BYTES);
  const advice = `Give --memory ${Math.ceil(needed / 1e8) / 10}GB, or leave --index hnsw out: an exact search reads the features a shard at a time, and within less memory it is the faster one (docs/neighbors.md).`;
  checkBound(owner, bound, needed, 'a graph with its features', advice);
}

/** Another processor rounds hnswlib's distances in other last places, which may exchange a neighbour or two. */
const RECALL_DIFFERENCE = 0.01;

/** What was measured when the index was kept must come out again: the same rows, the same graph, the same sample. */
async function requireSameRecall(
  index: NeighborIndex,
  X: Matrix,
  path: string,
  { k, recall, seed }: IndexRecall & { readonly seed: number },
): Promise<void> {
  const found = await measureRecall(index, X, { k, sample: SAMPLE, seed });
  if (Math.abs(found.recall - recall) <= RECALL_DIFFERENCE) return;
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${path} finds ${found.recall} of the true neighbours where it found ${recall} when it was built: it does not fit these features, or another hnswlib reads it. Delete it; it is built again.`,
  );
}

/**
 * Search by HNSW graphs over one split of the store's features, with the smallest `ef` that reaches the recall. Missing
 * graphs are built by a thread each while the store is locked, and kept; kept ones are checked for bytes and recall.
 * Throws PACKAGE_MISSING, STORE_CORRUPT, STORE_LOCKED, STORE_WRITE, INTERRUPTED.
 */
export async function hnswOfStore(
  { store, parts, metric }: GraphPlan,
  X: Matrix,
  { split, k, recall: wanted, graphs }: HnswRequest,
  { signal, listener }: Work,
): Promise<{ readonly index: NeighborIndex; readonly result: IndexResult }> {
  const { M, efConstruction, seed } = defaultsOf(KNN_HNSW_OPTIONS);
  const of = Math.min(graphs, X.rows);
  const keys = Array.from({ length: of }, (_, number) => ({
    kind: 'hnsw' as const,
    parts: parts.map(({ set, pooling, stored }) => ({
      fingerprint: set.fingerprint,
      pooling,
      ...(stored !== pooling && { of: stored }),
    })),
    samples: store.manifest.dataset.samples!.sha256,
    split,
    metric,
    M,
    efConstruction,
    seed,
    ...(of > 1 && { part: { number, of } }),
  }));
  const sample = { k, sample: SAMPLE, seed };
  const read = (paths: readonly string[]): Promise<HnswGraph[]> =>
    Promise.all(paths.map((path) => readGraph(path, metric, X.cols)));

  const kept = await Promise.all(keys.map((key) => findIndex(store.path, key)));
  if (kept.every((one) => one !== undefined)) {
    const loaded = await read(kept.map(({ path }) => path));
    const [{ path, recall }] = kept as [FoundIndex];
    await requireSameRecall(graphIndex(loaded, X, metric, recall.ef), X, path, { ...recall, seed });
    const chosen = await chooseEf(loaded, X, metric, wanted, sample);
    return { index: graphIndex(loaded, X, metric, chosen.ef), result: { ...chosen, split, built: false } };
  }

  const meter = progressMeter('indexing', X.rows, listener);
  let built: readonly HnswGraph[] = [];
  // From now on: what took minutes is not lost to another writer in the end.
  const lock = await store.lock('permafrost neighbors');
  try {
    const chosen = await keepIndex(store.path, keys, async (paths) => {
      const options = { metric, M, efConstruction, seed };
      await buildGraphFiles(X, options, paths, signal && { signal }, (rows) => meter.advance(rows, rows));
      built = await read(paths);
      return chooseEf(built, X, metric, wanted, sample);
    });
    return { index: graphIndex(built, X, metric, chosen.ef), result: { ...chosen, split, built: true } };
  } finally {
    await lock.release();
  }
}
