import { availableParallelism } from 'node:os';
import { inGigabytes } from '../../core/words.ts';
import { PermafrostError } from '../../core/errors.ts';
import { defaultsOf } from '../../core/options.ts';
import type { IndexResult } from '../../results/answer-results.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Split } from '../../core/sample.ts';
import { KNN_HNSW_OPTIONS } from '../../classify/heads/knn-hnsw.ts';
import { chooseEf, graphIndex, rowsApart, rowsWithout, type ChosenEf } from '../../classify/neighbors/hnsw.ts';
import { buildGraphFiles } from '../../classify/neighbors/hnsw-threads.ts';
import type { NeighborIndex } from '../../classify/neighbors/neighbor-index.ts';
import { othersMeter, recallMeter, type RecallMeter } from '../../classify/neighbors/recall.ts';
import { searchThreads, teamsFor, type SearchThreads, type Teams } from '../../classify/neighbors/search-threads.ts';
import { findIndex, isIndexKept, keepIndex, type FoundIndex, type IndexKey } from '../../store/format/index-file.ts';
import type { StoredPart } from '../../store/read/stored-parts.ts';
import type { SearchPlan } from './exact-neighbors.ts';
import { BASE_BYTES, checkBound } from '../memory.ts';
import { progressMeter } from '../progress-meter.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';

/** Of graphs that hold all rows: rows that recall is measured on. Its standard error is 0.003 at 0.99 and k = 5. */
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

/** What features and their graph take in memory, and a further copy of the graph. */
async function graphBytes({
  store,
  parts,
  splits,
}: SearchPlan): Promise<{ readonly needed: number; readonly graph: number }> {
  const counts = await store.counts();
  const rows = splits.reduce((sum, split) => sum + counts[split], 0);
  const rowBytes = 4 * parts.reduce((sum, { width }) => sum + width, 0);
  const graph = rows * (rowBytes + GRAPH_ROW_BYTES);
  // The features as they are stored, or balanced too.
  return { needed: BASE_BYTES + rows * rowBytes * (parts.length > 1 ? 2 : 1) + graph, graph };
}

/** Throws OPTION_INVALID where the features and their graph, which must be in memory, need more than the bound. */
export async function checkGraphBound(plan: SearchPlan): Promise<void> {
  const { needed } = await graphBytes(plan);
  const advice = `Give --memory ${Math.ceil(needed / 1e8) / 10}GB, or leave --index hnsw out: an exact search reads the features a shard at a time, and within less memory it is the faster one (docs/neighbors.md).`;
  checkBound(plan.owner, plan.bound, needed, 'a graph with its features', advice);
}

/** How many threads search so many graphs within the bound; what keeps cores idle is told. */
async function teamsOf(plan: GraphPlan, graphs: number, { listener }: Work): Promise<Teams> {
  const { needed, graph } = await graphBytes(plan);
  const teams = teamsFor(graphs, graph, plan.bound - needed);
  const threads = teams.teams * teams.size;
  const cores = availableParallelism();
  if (threads < cores) {
    listener?.note?.(
      `${threads === 1 ? 'One thread searches' : `${threads} threads search`} the index on ${cores} cores: each further copy of it takes ${inGigabytes(graph)}, which --memory does not allow.`,
    );
  }
  return teams;
}

/** Another processor rounds hnswlib's distances in other last places, which may exchange a neighbour or two. */
const RECALL_DIFFERENCE = 0.01;

/** What was measured when the index was kept must come out again: the same rows, the same graph, the same queries. */
async function requireSameRecall(index: NeighborIndex, meter: RecallMeter, path: string, told: number): Promise<void> {
  const found = await meter(index);
  if (Math.abs(found.recall - told) <= RECALL_DIFFERENCE) return;
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${path} finds ${found.recall} of the true neighbours where it found ${told} when it was built: it does not fit these features, or another hnswlib reads it. Delete it; it is built again.`,
  );
}

/** The keys of so many graphs over one split, without `apart` rows. */
function indexKeys({ store, parts, metric }: GraphPlan, split: Split, apart: number, of: number): IndexKey[] {
  const { M, efConstruction, seed } = defaultsOf(KNN_HNSW_OPTIONS);
  return Array.from({ length: of }, (_, number) => ({
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
    ...(apart > 0 && { apart }),
  }));
}

/** Whether the store keeps the graphs of all splits. */
export async function areGraphsKept(plan: GraphPlan, graphs: number): Promise<boolean> {
  const counts = await plan.store.counts();
  const { seed } = defaultsOf(KNN_HNSW_OPTIONS);
  for (const split of plan.splits) {
    const rows = counts[split];
    if (rows === 0) continue;
    const apart = rowsApart(rows, seed).length;
    const keys = indexKeys(plan, split, apart, Math.min(graphs, rows - apart));
    for (const key of keys) if (!(await isIndexKept(plan.store.path, key))) return false;
  }
  return true;
}

/** The files of an index, and the rows of X that no graph holds. */
interface KeptIndex {
  readonly files: readonly FoundIndex[];
  readonly apart: readonly number[];
}

/** Search by the graphs of one split, until it is ended. */
export interface GraphsOfStore {
  readonly index: NeighborIndex;
  readonly result: IndexResult;
  end(): Promise<void>;
}

/**
 * Search by HNSW graphs over one split of the store's features, on all cores, with the smallest `ef` that reaches the
 * recall. Missing graphs are built by a thread each while the store is locked, and kept; kept ones are checked for
 * bytes and recall. Recall is measured on up to 200 rows that no graph holds, and that each query is compared with; of
 * graphs that an earlier version built, on rows of theirs. Throws PACKAGE_MISSING, STORE_CORRUPT, STORE_LOCKED,
 * STORE_WRITE, INTERRUPTED.
 */
export async function hnswOfStore(
  plan: GraphPlan,
  X: Matrix,
  { split, k, recall: wanted, graphs }: HnswRequest,
  work: Work,
): Promise<GraphsOfStore> {
  const { store, metric } = plan;
  const { signal, listener } = work;
  const { M, efConstruction, seed } = defaultsOf(KNN_HNSW_OPTIONS);
  const context = signal && { signal };
  const drawn = rowsApart(X.rows, seed);
  const keysOf = (apart: number, of: number): IndexKey[] => indexKeys(plan, split, apart, of);

  async function keptIndex(apart: readonly number[], of: number): Promise<KeptIndex | undefined> {
    const files = await Promise.all(keysOf(apart.length, of).map((key) => findIndex(store.path, key, X)));
    return files.every((one) => one !== undefined) ? { files, apart } : undefined;
  }

  /** Threads over graphs in files, with what `choose` chooses of them; they are ended where that fails. */
  async function searched(
    paths: readonly string[],
    apart: readonly number[],
    choose: (threads: SearchThreads) => Promise<ChosenEf>,
    built: boolean,
  ): Promise<GraphsOfStore & { readonly chosen: ChosenEf }> {
    const teams = await teamsOf(plan, paths.length, work);
    const threads = await searchThreads(paths, metric, X.cols, teams, context);
    try {
      const chosen = await choose(threads);
      const result = { ...chosen, split, built, heldOut: apart.length > 0, threads: teams.teams * teams.size };
      const index = graphIndex(threads, X, metric, chosen.ef, apart);
      return { index, chosen, result, end: () => threads.end() };
    } catch (error) {
      await threads.end();
      throw error;
    }
  }

  const meterOf = (apart: readonly number[], among: number): Promise<RecallMeter> =>
    apart.length > 0
      ? othersMeter(X, metric, apart, among)
      : recallMeter(X, metric, { k: among, sample: SAMPLE, seed });

  const kept =
    (await keptIndex(drawn, Math.min(graphs, X.rows - drawn.length))) ??
    (await keptIndex([], Math.min(graphs, X.rows)));
  if (kept !== undefined) {
    const { files, apart } = kept;
    const [{ path, recall: told }] = files as [FoundIndex];
    if (apart.length < drawn.length) {
      listener?.note?.(
        'An earlier version built the kept index: its recall is measured on its own images. Delete its files in indexes/ to have it built again, and measured on images that it does not hold.',
      );
    }
    const paths = files.map((file) => file.path);
    return searched(
      paths,
      apart,
      async (threads) => {
        const meter = await meterOf(apart, told.k);
        await requireSameRecall(graphIndex(threads, X, metric, told.ef), meter, path, told.recall);
        return chooseEf(threads, X, metric, { recall: wanted, k }, told.k === k ? meter : await meterOf(apart, k));
      },
      false,
    );
  }

  const held = rowsWithout(X.rows, drawn);
  const meter = progressMeter('indexing', held.length, listener);
  let built: GraphsOfStore | undefined;
  // From now on: what took minutes is not lost to another writer in the end.
  const lock = await store.lock('permafrost neighbors', lockRequest(work));
  try {
    await keepIndex(store.path, keysOf(drawn.length, Math.min(graphs, held.length)), async (paths) => {
      const options = { metric, M, efConstruction, seed };
      await buildGraphFiles(X, options, paths, context, (rows) => meter.advance(rows, rows), held);
      const choose = async (threads: SearchThreads): Promise<ChosenEf> =>
        chooseEf(threads, X, metric, { recall: wanted, k }, await meterOf(drawn, k));
      const { chosen, ...found } = await searched(paths, drawn, choose, true);
      built = found;
      return chosen;
    });
    return built!;
  } catch (error) {
    await built?.end();
    throw error;
  } finally {
    await lock.release();
  }
}
