import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { rowRange, type Matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import { startThreads } from '../../core/threads.ts';
import type { FitContext } from '../head.ts';
import type { GraphCandidates, GraphSearcher } from './graph-candidates.ts';
import { loadHnsw } from './hnsw-graph.ts';
import type { Metric } from './neighbor-index.ts';

/** What a thread is started with. */
export interface SearchThreadData {
  readonly metric: Metric;
  readonly cols: number;
}

/** An order to a thread: graphs to read, or queries (rows, cols) to answer. */
export type SearchOrder =
  | { readonly kind: 'read'; readonly paths: readonly string[] }
  | {
      readonly kind: 'search';
      readonly data: Float32Array;
      readonly rows: number;
      readonly k: number;
      readonly ef: number;
    };

/** What a thread says. */
export type SearchAnswer = { readonly kind: 'ready' } | ({ readonly kind: 'found' } & GraphCandidates);

const ENTRY = new URL(`./search-thread${extname(import.meta.url)}`, import.meta.url);

/** Queries that a team gets at once. */
const BATCH = 1024;

/** Bytes of a thread without the graphs that it reads. */
const THREAD_BYTES = 30e6;

/** How graphs are dealt to threads. A team holds each graph once and answers its part of the queries. */
export interface Teams {
  readonly teams: number;
  /** Threads of a team, which share the graphs. */
  readonly size: number;
}

/** As many copies of the graphs (of `bytes` in all) as there are cores and `spare` bytes beyond the first one. */
export function teamsFor(graphs: number, bytes: number, spare: number, cores: number = availableParallelism()): Teams {
  const copies = 1 + Math.floor(Math.max(0, spare) / (bytes + THREAD_BYTES));
  const teams = Math.min(cores, copies);
  return { teams, size: Math.max(1, Math.min(graphs, Math.floor(cores / teams))) };
}

export interface SearchThreads extends GraphSearcher {
  /** Ends the threads, which gives their graphs' memory back. */
  end(): Promise<void>;
}

/**
 * Threads that search the graphs in files. Thread t of a team reads the graphs t, t + size …; a query is answered by
 * the threads of one team, whose candidates together are those of all graphs: the same for any number of threads. The
 * caller ends them. Throws PACKAGE_MISSING, STORE_CORRUPT, INTERRUPTED.
 */
export async function searchThreads(
  paths: readonly string[],
  metric: Metric,
  cols: number,
  { teams, size }: Teams,
  { signal }: FitContext = {},
): Promise<SearchThreads> {
  await loadHnsw();
  const threads = startThreads<SearchOrder, SearchAnswer>({
    entry: ENTRY,
    count: teams * size,
    data: { metric, cols } satisfies SearchThreadData,
    signal,
    interrupted: 'The search was interrupted.',
    failure: ({ message }) => new Error(`A thread that searches the index failed: ${message}`),
  });
  const { workers } = threads;

  /** What each thread answers to the order that it was given. */
  async function answers(asked: readonly Worker[]): Promise<Map<Worker, SearchAnswer>> {
    const all = new Map<Worker, SearchAnswer>();
    while (all.size < asked.length) {
      const { worker, message } = await threads.next();
      all.set(worker, message);
    }
    return all;
  }

  /** The candidates of queries that are dealt to all teams. */
  async function deal(queries: Matrix, k: number, ef: number): Promise<GraphCandidates[]> {
    const each = Math.ceil(queries.rows / teams);
    const dealt = Array.from({ length: Math.ceil(queries.rows / each) }, (_, team) => {
      const part = rowRange(queries, team * each, Math.min(queries.rows, (team + 1) * each));
      const members = workers.slice(team * size, (team + 1) * size);
      for (const worker of members) {
        const data = part.data.slice();
        threads.send(worker, { kind: 'search', data, rows: part.rows, k, ef }, [data.buffer]);
      }
      return { part, members };
    });
    const all = await answers(dealt.flatMap(({ members }) => members));
    return dealt.map(({ part, members }) => {
      const found = members.map((worker) => all.get(worker) as SearchAnswer & GraphCandidates);
      return found.length === 1 ? found[0]! : sideBySide(found, part.rows);
    });
  }

  // An answer belongs to the last order.
  const inTurn = mutex();
  try {
    workers.forEach((worker, at) =>
      threads.send(worker, { kind: 'read', paths: paths.filter((_, g) => g % size === at % size) }),
    );
    await answers(workers);
  } catch (error) {
    await threads.end();
    throw error;
  }

  async function candidates(queries: Matrix, k: number, ef: number): Promise<GraphCandidates> {
    const found: GraphCandidates[] = [];
    for (let start = 0; start < queries.rows; start += BATCH * teams) {
      found.push(...(await deal(rowRange(queries, start, Math.min(queries.rows, start + BATCH * teams)), k, ef)));
    }
    return below(found);
  }

  return {
    candidates: (queries, k, ef) => inTurn(() => candidates(queries, k, ef)),
    end: () => threads.end(),
  };
}

/** Candidates of the same queries from several threads. */
function sideBySide(found: readonly GraphCandidates[], queries: number): GraphCandidates {
  const each = found.reduce((sum, one) => sum + one.each, 0);
  const rows = new Int32Array(queries * each);
  let first = 0;
  for (const one of found) {
    for (let q = 0; q < queries; q++) rows.set(one.rows.subarray(q * one.each, (q + 1) * one.each), q * each + first);
    first += one.each;
  }
  return { rows, each, short: [...new Set(found.flatMap(({ short }) => short))].sort((a, b) => a - b) };
}

/** Candidates of queries that follow each other. */
function below(found: readonly GraphCandidates[]): GraphCandidates {
  const each = found[0]?.each ?? 0;
  const rows = new Int32Array(found.reduce((sum, one) => sum + one.rows.length, 0));
  const short: number[] = [];
  let at = 0;
  for (const one of found) {
    for (const q of one.short) short.push(at / each + q);
    rows.set(one.rows, at);
    at += one.rows.length;
  }
  return { rows, each, short };
}
