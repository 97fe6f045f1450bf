import { PermafrostError } from '../core/errors.ts';
import { defaultsOf } from '../core/options.ts';
import type { IndexResult } from '../core/answer-results.ts';
import type { Split } from '../core/sample.ts';
import { KNN_HNSW_OPTIONS } from '../classify/heads/knn-hnsw.ts';
import { chooseEf, graphIndex } from '../classify/neighbors/hnsw.ts';
import { buildGraph, readGraph, type HnswGraph } from '../classify/neighbors/hnsw-graph.ts';
import type { Metric, NeighborIndex } from '../classify/neighbors/neighbor-index.ts';
import { measureRecall } from '../classify/neighbors/recall.ts';
import { findIndex, keepIndex, type IndexKey, type IndexRecall } from '../store/index-file.ts';
import { lockStore } from '../store/lock.ts';
import type { Manifest } from '../store/manifest.ts';
import type { StoredPart } from '../store/parts.ts';
import type { LoadedFeatures } from '../store/reader.ts';
import type { Work } from './work.ts';
import { progressMeter } from './progress-meter.ts';

/** Rows that recall is measured on: at recall 0.99 and k = 5 the standard error is 0.003. */
const SAMPLE = 200;

/** Which features of a store, and what their search must find. */
export interface HnswRequest {
  /** What stands side by side in them. */
  readonly parts: readonly StoredPart[];
  readonly split: Split;
  readonly metric: Metric;
  readonly k: number;
  readonly recall: number;
}

async function build(
  { X }: LoadedFeatures,
  { metric, M, efConstruction, seed }: IndexKey & { readonly metric: Metric },
  { signal, listener }: Work,
): Promise<HnswGraph> {
  const meter = progressMeter('indexing', X.rows, listener);
  let before = 0;
  return buildGraph(X, { metric, M, efConstruction, seed }, signal && { signal }, (rows) => {
    meter.advance(rows - before, rows - before);
    before = rows;
  });
}

/** Another processor rounds hnswlib's distances in other last places, which may exchange a neighbour or two. */
const RECALL_DIFFERENCE = 0.01;

/** What was measured when the index was kept must come out again: the same rows, the same graph, the same sample. */
async function requireSameRecall(
  index: NeighborIndex,
  { X }: LoadedFeatures,
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
 * The HNSW graph over one split of the store's current features, from the store, or built and kept there; with the smallest `ef` that is
 * measured to reach the recall. A kept graph is checked: its bytes, and its recall on a seeded sample against exact search. Throws
 * PACKAGE_MISSING, STORE_CORRUPT, STORE_LOCKED, STORE_WRITE, INTERRUPTED.
 */
export async function hnswOfStore(
  store: string,
  manifest: Manifest,
  loaded: LoadedFeatures,
  { parts, split, metric, k, recall: wanted }: HnswRequest,
  work: Work = {},
): Promise<{ readonly index: NeighborIndex; readonly result: IndexResult }> {
  const { M, efConstruction, seed } = defaultsOf(KNN_HNSW_OPTIONS);
  const key = {
    kind: 'hnsw',
    parts: parts.map(({ set, pooling }) => ({ fingerprint: set.fingerprint, pooling })),
    samples: manifest.dataset.samples!.sha256,
    split,
    metric,
    M,
    efConstruction,
    seed,
  } as const;
  const { X } = loaded;
  const sample = { k, sample: SAMPLE, seed };
  const kept = await findIndex(store, key);
  if (kept !== undefined) {
    const graph = await readGraph(kept.path, metric, X.cols);
    await requireSameRecall(graphIndex(graph, X, metric, kept.recall.ef), loaded, kept.path, {
      ...kept.recall,
      seed,
    });
    const chosen = await chooseEf(graph, X, metric, wanted, sample);
    return { index: graphIndex(graph, X, metric, chosen.ef), result: { ...chosen, split, built: false } };
  }
  const graph = await build(loaded, key, work);
  const chosen = await chooseEf(graph, X, metric, wanted, sample);
  const lock = await lockStore(store, 'permafrost neighbors');
  try {
    await keepIndex(store, key, chosen, (path) => graph.writeIndex(path));
  } finally {
    await lock.release();
  }
  return { index: graphIndex(graph, X, metric, chosen.ef), result: { ...chosen, split, built: true } };
}
