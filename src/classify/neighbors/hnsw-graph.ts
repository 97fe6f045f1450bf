import type * as Hnswlib from 'hnswlib-node';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { type Matrix, row } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import type { Metric } from './neighbor-index.ts';

/** Parameters of a graph, named as in Malkov and Yashunin 2018 (arXiv 1603.09320) and hnswlib. */
export interface HnswGraphOptions {
  readonly metric: Metric;
  /** Links of a row on each layer. */
  readonly M: number;
  /** Candidates kept while a row is inserted. */
  readonly efConstruction: number;
  readonly seed: number;
}

/** A navigable small-world graph over rows, as hnswlib keeps it: it holds a copy of them. */
export type HnswGraph = Hnswlib.HierarchicalNSW;

/** hnswlib-node, loaded on use. Throws PACKAGE_MISSING where it is not installed or was not compiled. */
export async function loadHnsw(): Promise<Pick<typeof Hnswlib, 'HierarchicalNSW'>> {
  try {
    const loaded = await import('hnswlib-node');
    // A CommonJS package: its exports are those of `default`.
    return loaded.default;
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `hnswlib-node does not load: ${reasonOf(cause)}. It is optional and compiled when it is installed, which needs Python and a C++ compiler (Debian: "apt install g++ make python3", macOS: "xcode-select --install"); then run "npm install hnswlib-node". The head "knn" finds exact neighbours without it.`,
      { cause },
    );
  }
}

async function newGraph(metric: Metric, cols: number): Promise<HnswGraph> {
  const { HierarchicalNSW } = await loadHnsw();
  return new HierarchicalNSW(metric === 'cosine' ? 'cosine' : 'l2', cols);
}

/** A graph without rows that takes `rows` of `cols` features. Throws PACKAGE_MISSING. */
export async function emptyGraph(
  rows: number,
  cols: number,
  { metric, M, efConstruction, seed }: HnswGraphOptions,
): Promise<HnswGraph> {
  const graph = await newGraph(metric, cols);
  graph.initIndex(rows, M, efConstruction, seed);
  return graph;
}

/** Rows inserted between two turns of the event loop: about 30 ms at 50,000 rows of 512 features. */
const TURN = 64;

/**
 * Inserts the rows of X (n, d) in order, or those of `picked`, row i as numberOf(i): one thread and one order always
 * make the same graph. `inserted` gets the number of rows added. Throws INTERRUPTED.
 */
export async function insertRows(
  graph: HnswGraph,
  X: Matrix,
  numberOf: (row: number) => number,
  context?: FitContext,
  inserted?: (rows: number) => void,
  picked?: readonly number[],
): Promise<void> {
  const count = picked?.length ?? X.rows;
  for (let first = 0; first < count; first += TURN) {
    // Inserting blocks the event loop: only a turn of it lets an abort arrive.
    await new Promise((resolve) => setImmediate(resolve));
    checkAborted(context);
    const end = Math.min(count, first + TURN);
    for (let at = first; at < end; at++) {
      const i = picked?.[at] ?? at;
      graph.addPoint(Array.from(row(X, i)), numberOf(i));
    }
    inserted?.(end - first);
  }
}

/** A graph over rows of `cols` features from a file that its writeIndex made. Throws PACKAGE_MISSING, STORE_CORRUPT. */
export async function readGraph(path: string, metric: Metric, cols: number): Promise<HnswGraph> {
  const graph = await newGraph(metric, cols);
  try {
    await graph.readIndex(path);
  } catch (cause) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `hnswlib-node cannot read ${path}: ${reasonOf(cause)}. Delete it; it is built again.`,
      { cause },
    );
  }
  return graph;
}
