import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PermafrostError, type ErrorCode } from '../core/errors.ts';
import type { Pooling } from '../core/sample.ts';
import type { CrossScores } from '../core/sweep-result.ts';
import type { Family, HeadPlan } from '../classify/cross-validation/families.ts';
import type { FeatureSteps } from '../classify/cross-validation/fold-features.ts';
import type { TrainVal } from '../classify/split.ts';

/** Features of all training images. */
export interface SharedFeatures {
  /** Shape (rows, cols). */
  readonly data: Float32Array<SharedArrayBuffer>;
  readonly rows: number;
  readonly cols: number;
  /** Views of the same images, each of the same shape: as many as any configuration trains on. */
  readonly views: readonly Float32Array<SharedArrayBuffer>[];
  /** Columns of each part that stands side by side in them. */
  readonly parts: readonly number[];
}

/** What every worker reads. The arrays lie in shared memory: no worker has a copy of them. */
export interface SweepData {
  /** By `featuresKey`. */
  readonly features: Readonly<Record<string, SharedFeatures>>;
  readonly y: Int32Array<SharedArrayBuffer>;
  readonly classes: readonly string[];
  readonly folds: readonly TrainVal[];
}

/** Features as the heads of a group see them. */
export interface FeatureGroup extends FeatureSteps {
  readonly cut: string;
  readonly pooling: Pooling;
  readonly views: number;
}

/** Names the features that a group starts from, whatever the number of views. */
export const featuresKey = ({ cut, pooling }: Pick<FeatureGroup, 'cut' | 'pooling'>): string =>
  `${cut} ${pooling}`;

/** One piece of work: heads that share theirs, on one group's features. */
export interface SweepJob {
  readonly group: FeatureGroup;
  readonly family: Family;
}

/** What a worker found of one plan. */
export interface SweepFinding {
  readonly group: FeatureGroup;
  readonly plan: HeadPlan;
  readonly found:
    | {
        readonly scores: CrossScores;
        /** Class of each row when it was held out, shape (n). */
        readonly predictions: Uint16Array;
        readonly converged: boolean;
        readonly iterations: number;
        readonly fitMs: number;
      }
    | { readonly problem: string };
}

/** What a worker says: a finding, that it wants work, or why it cannot go on. */
export type WorkerMessage =
  | { readonly kind: 'found'; readonly finding: SweepFinding }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode | null; readonly message: string };

/** What a worker is told: the next job, or to end. */
export type WorkerOrder = SweepJob | 'end';

const ENTRY = new URL(`./sweep-worker${extname(import.meta.url)}`, import.meta.url);

const sameGroup = (a: FeatureGroup, b: FeatureGroup): boolean =>
  featuresKey(a) === featuresKey(b) && a.normalize === b.normalize && a.pca === b.pca && a.views === b.views;

/**
 * Runs jobs on `count` threads and yields what they find as it comes, in any order; a finding itself is the same whoever made it and
 * when. A thread keeps to the group that it has prepared while that has work, then takes one that no other thread has. Ends the threads when it
 * is left. Throws INTERRUPTED on abort, and what a worker throws.
 */
export async function* runSweepJobs(
  jobs: readonly SweepJob[],
  count: number,
  data: SweepData,
  signal?: AbortSignal,
): AsyncGenerator<SweepFinding> {
  const waiting = [...jobs];
  const inbox: { worker: Worker; message: WorkerMessage }[] = [];
  const holds = new Map<Worker, FeatureGroup>();
  let wake: () => void = () => undefined;
  const workers = Array.from({ length: Math.min(count, jobs.length) }, () => {
    const worker = new Worker(ENTRY, { workerData: data });
    const receive = (message: WorkerMessage): void => {
      inbox.push({ worker, message });
      wake();
    };
    worker.on('message', receive);
    worker.on('error', ({ message }) => receive({ kind: 'failed', code: null, message }));
    return worker;
  });
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);

  const nextJob = (worker: Worker): SweepJob | undefined => {
    const held = holds.get(worker);
    const others = [...holds].filter(([other]) => other !== worker).map(([, group]) => group);
    const rank = ({ group }: SweepJob): number =>
      held !== undefined && sameGroup(group, held)
        ? 0
        : others.some((other) => sameGroup(group, other))
          ? 2
          : 1;
    let best = 0;
    waiting.forEach((job, i) => {
      if (rank(job) < rank(waiting[best]!)) best = i;
    });
    return waiting.splice(best, 1)[0];
  };

  let working = workers.length;
  try {
    while (working > 0 || inbox.length > 0) {
      if (signal?.aborted) {
        throw new PermafrostError('INTERRUPTED', 'The sweep was interrupted.', { cause: signal.reason });
      }
      const next = inbox.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { worker, message } = next;
      if (message.kind === 'found') yield message.finding;
      else if (message.kind === 'failed') throw failure(message);
      else {
        const job = nextJob(worker);
        if (job === undefined) working--;
        else {
          holds.set(worker, job.group);
          worker.postMessage(job satisfies WorkerOrder);
        }
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not terminated: a thread that is torn down while ONNX Runtime works in it takes the process along.
    for (const worker of workers) worker.postMessage('end' satisfies WorkerOrder);
    await Promise.all(ended);
  }
}

function failure({ code, message }: WorkerMessage & { kind: 'failed' }): Error {
  return code === null
    ? new Error(`A thread of the sweep failed: ${message}`)
    : new PermafrostError(code, message);
}
