import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { SweepLine, SweepState } from '../api/studio-sweep.ts';
import type { SweepCandidate, SweepResult } from '../../results/sweep-result.ts';
import { inMegabytes } from '../../core/words.ts';
import { comparisonRule, looksText } from '../../report/told-apart.ts';
import type { SweepRequest } from '../../workflows/sweep/sweep.ts';
import { SWEEP_DEFAULTS } from '../../workflows/sweep/options.ts';
import { sweepInProcess } from '../../workflows/sweep/process.ts';
import { byScore } from '../../workflows/sweep/ranking.ts';
import type { LiveJobs } from './jobs.ts';
import type { Snapshot } from './snapshot.ts';

/** Lines that are shown and sent; the ledger in the store keeps all. */
const MOST_LINES = 100;
/** What the studio's own process takes and a snapshot's room does not count: Node, its code, the streams. */
const SERVER_BYTES = 200e6;

/** One sweep at a time. What it found is kept in the store, where the next one goes on. */
export interface LiveSweep {
  readonly state: SweepState;
  /** Begins a sweep of a snapshot's store. Throws OPTION_INVALID while one is running. */
  start(request: SweepRequest, snapshot: Snapshot): void;
  /** Ends it after what is under way; what was found is kept. */
  stop(): Promise<void>;
  /** Calls `watcher` with every new state, until the returned function is called. */
  watch(watcher: (state: SweepState) => void): () => void;
}

const NONE: SweepState = {
  state: 'none',
  done: 0,
  total: 0,
  score: SWEEP_DEFAULTS.score,
  remarks: [],
  lines: [],
  comparedBy: null,
  best: null,
  problem: null,
};

function lineOf(one: SweepCandidate & { readonly toldApart?: boolean }): SweepLine {
  const { id, head, changed, cut, pooling, normalize, pca, views, scores, fitMs, reused, toldApart } = one;
  const options = Object.entries(changed).map(([key, value]) => `${key} ${String(value)}`);
  return {
    id,
    head: [head, ...options].join(', '),
    features: [
      ...(cut === '' ? [] : [cut]),
      pooling,
      normalize,
      ...(pca > 0 ? [`${pca} components`] : []),
      ...(views > 0 ? [`${views} views`] : []),
    ].join(', '),
    accuracy: scores.accuracy.value,
    interval: scores.accuracy.interval,
    balancedAccuracy: scores.balancedAccuracy.value,
    logLoss: scores.logLoss.value,
    fitMs,
    reused,
    toldApart: toldApart ?? null,
  };
}

/** The end of a sweep: lines in the order of the ranking, the best with its figures. */
function finished({
  candidates,
  best,
  skipped,
}: SweepResult): Pick<SweepState, 'lines' | 'comparedBy' | 'best' | 'problem'> {
  const { name, pooling, accuracy, interval, validated, validatedOn, looks, file } = best;
  return {
    lines: candidates.slice(0, MOST_LINES).map(lineOf),
    comparedBy:
      candidates.length === 1 ? null : comparisonRule(candidates.length - 1, 'held-out images', candidates[0]!.test),
    best: {
      head: `${name} on ${pooling}`,
      accuracy,
      interval,
      validated,
      looks: looks === undefined ? '' : looksText(looks, validatedOn),
      file,
    },
    problem:
      skipped.length === 0
        ? null
        : `${skipped.length} configurations could not be fitted; the first: ${skipped[0]!.reason}`,
  };
}

export function liveSweep(jobs: LiveJobs): LiveSweep {
  let state = NONE;
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const watchers = new Set<(state: SweepState) => void>();
  function report(next: SweepState): void {
    state = next;
    for (const watcher of watchers) watcher(state);
  }
  async function run(request: SweepRequest, store: string, signal: AbortSignal): Promise<void> {
    const found: SweepCandidate[] = [];
    const better = byScore(state.score);
    // Its process has gone, and its memory with it, before the sweep counts as done.
    const result = await sweepInProcess(store, request, {
      signal,
      listener: { note: (text) => report({ ...state, remarks: [...state.remarks, text] }) },
      onCandidate(one, { done, total }) {
        found.push(one);
        found.sort((a, b) => better(a, b) || (a.id < b.id ? -1 : 1));
        report({ ...state, done, total, lines: found.slice(0, MOST_LINES).map(lineOf) });
      },
    });
    report({ ...state, state: 'done', ...finished(result) });
  }
  const failed = (error: unknown): void =>
    report(
      error instanceof PermafrostError && error.code === 'INTERRUPTED'
        ? { ...state, state: 'stopped' }
        : { ...state, state: 'failed', problem: reasonOf(error) },
    );
  return {
    get state() {
      return state;
    },
    start(request, snapshot) {
      if (state.state === 'running')
        throw new PermafrostError('OPTION_INVALID', 'A sweep is running. Stop it before you start another one.');
      stopping = new AbortController();
      const { signal } = stopping;
      report({ ...NONE, state: 'running', score: request.score ?? NONE.score });
      running = jobs
        .run(snapshot, 'A sweep', (room) =>
          run(
            { ...request, backboneFile: snapshot.tuned, memory: inMegabytes(room - SERVER_BYTES) },
            snapshot.store.path,
            signal,
          ),
        )
        .catch(failed);
    },
    async stop() {
      stopping.abort();
      await running;
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}
