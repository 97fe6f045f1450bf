import { reasonOf } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import { loadHnsw } from '../../classify/neighbors/hnsw-graph.ts';
import { areGraphsKept, checkGraphBound, type GraphPlan } from './hnsw-index.ts';

/** What decides whether graphs or an exact scan answer sooner. */
export interface IndexFacts {
  /** Stored images that are searched, and features of each. */
  readonly rows: number;
  readonly cols: number;
  /** Images that are asked about. */
  readonly queries: number;
  /** Whether the graphs are in the store; else they would be built. */
  readonly kept: boolean;
  /** Why graphs cannot be searched here, such as a missing package; undefined where they can. */
  readonly hindrance: string | undefined;
}

/** What `auto` takes, and why, in words. */
export interface IndexChoice {
  readonly index: 'exact' | 'hnsw';
  readonly why: string;
}

/**
 * Seconds on two cores with nothing else running (docs/neighbors.md; bench/neighbors/crossing.mjs measures them again).
 * All are for one feature.
 */
export const COSTS = {
  /** A row met by a query in an exact scan, a feature. */
  scan: 2e-11,
  /** A row read into a graph's memory, a feature. */
  readGraph: 8e-9,
  /** A row put into one of two graphs, a feature. */
  build: 1.2e-6,
  /** A query answered by graphs, a feature. */
  search: 8e-7,
};
/** Queries of the exact search that the recall of an opened index is measured against. */
const RECALL_QUERIES = 200;

/** Seconds that exact search and graphs would take beyond the reading of the features, which both do. */
export function expectedSeconds({ rows, cols, queries, kept }: IndexFacts): {
  readonly exact: number;
  readonly hnsw: number;
} {
  const opened = rows * cols * (COSTS.readGraph + COSTS.scan * RECALL_QUERIES);
  const built = kept ? 0 : rows * cols * COSTS.build;
  return { exact: rows * cols * queries * COSTS.scan, hnsw: opened + built + queries * cols * COSTS.search };
}

/** The index that answers all queries of a command sooner: graphs only where they can be searched. */
export function chooseIndex(facts: IndexFacts): IndexChoice {
  const { rows, queries, kept, hindrance } = facts;
  const { exact, hnsw } = expectedSeconds(facts);
  const asked = `${plural(queries, 'image')} among ${rows} stored: about ${exact.toPrecision(2)} s by exact search, ${hnsw.toPrecision(2)} s by ${kept ? 'the kept graphs' : 'graphs that would be built first'}`;
  if (hnsw >= exact) return { index: 'exact', why: asked };
  if (hindrance !== undefined) return { index: 'exact', why: `${asked}, but ${hindrance}` };
  return { index: 'hnsw', why: asked };
}

/** What `auto` takes for so many images. A graph that cannot be searched is no error: the words say why. */
export async function indexFor(plan: GraphPlan, queries: number, graphs: number): Promise<IndexChoice> {
  const counts = await plan.store.counts();
  const hindrance = await Promise.all([loadHnsw(), checkGraphBound(plan)]).then(
    () => undefined,
    (error: unknown) => reasonOf(error),
  );
  return chooseIndex({
    rows: plan.splits.reduce((sum, split) => sum + counts[split], 0),
    cols: plan.parts.reduce((sum, { width }) => sum + width, 0),
    queries,
    kept: await areGraphsKept(plan, graphs),
    hindrance,
  });
}
