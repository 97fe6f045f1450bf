import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { PoolingChoice } from '../../core/sample.ts';
import { startThreads } from '../../core/threads.ts';
import type { Family, HeadPlan } from '../../classify/cross-validation/families.ts';
import type { FeatureSteps } from '../../classify/cross-validation/fold-features.ts';
import type { TrainVal } from '../../classify/evaluate/split.ts';
import type { CrossScores } from '../../classify/cross-validation/cross-scores.ts';

export interface SharedFeatures {
  /** Shape (rows, cols). */
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
  /** Views of the same images, each of the same shape: as many as any configuration trains on. */
  readonly views: readonly Float32Array[];
  /** Columns of each part that stands side by side in them. */
  readonly parts: readonly number[];
}

/** What every worker reads. The features lie in shared memory: no worker has a copy of them. */
export interface SweepData {
  /** By `featuresKey`. */
  readonly features: Readonly<Record<string, SharedFeatures>>;
  readonly y: Int32Array;
  readonly classes: readonly string[];
  readonly folds: readonly TrainVal[];
  /** Values of features that a thread may keep for all folds at once (FoldFeatures). */
  readonly mostKept: number;
}

/** Features as the heads of a group see them. */
export interface FeatureGroup extends FeatureSteps {
  readonly cut: string;
  readonly pooling: PoolingChoice;
  readonly views: number;
}

/** Names the features that a group starts from, whatever the number of views. */
export const featuresKey = ({ cut, pooling }: Pick<FeatureGroup, 'cut' | 'pooling'>): string => `${cut} ${pooling}`;

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
        /** Log loss of each row when it was held out, shape (n). */
        readonly losses: Float32Array;
        readonly converged: boolean;
        readonly iterations: number;
        readonly fitMs: number;
      }
    | { readonly problem: string };
}

/** What a worker says: a finding, or that it wants work. */
export type WorkerMessage = { readonly kind: 'found'; readonly finding: SweepFinding } | { readonly kind: 'ready' };

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

const sameGroup = (a: FeatureGroup, b: FeatureGroup): boolean =>
  featuresKey(a) === featuresKey(b) && a.normalize === b.normalize && a.pca === b.pca && a.views === b.views;

/**
 * Runs jobs on `count` threads and yields findings as they come, in any order. A thread keeps to its prepared group
 * while that has work, then takes one that no other thread has. Throws INTERRUPTED, and what a worker throws.
 */
export async function* runSweepJobs(
  jobs: readonly SweepJob[],
  count: number,
  data: SweepData,
  signal?: AbortSignal,
): AsyncGenerator<SweepFinding> {
  const waiting = [...jobs];
  const threads = startThreads<SweepJob, WorkerMessage>({
    entry: ENTRY,
    count: Math.min(count, jobs.length),
    data,
    signal,
    interrupted: 'The sweep was interrupted.',
    failure: ({ stack }) => new Error(`A thread of the sweep failed: ${stack}`),
  });
  const holds = new Map<Worker, FeatureGroup>();

  const nextJob = (worker: Worker): SweepJob | undefined => {
    const held = holds.get(worker);
    const others = [...holds].filter(([other]) => other !== worker).map(([, group]) => group);
    // The first that fits ends each search: of 20,000 waiting jobs, those of one group follow each other.
    const own = waiting.findIndex(({ group }) => held !== undefined && sameGroup(group, held));
    const at = own >= 0 ? own : waiting.findIndex(({ group }) => !others.some((other) => sameGroup(group, other)));
    return waiting.splice(Math.max(at, 0), 1)[0];
  };

  let working = threads.workers.length;
  try {
    while (working > 0 || threads.waiting() > 0) {
      const { worker, message } = await threads.next();
      if (message.kind === 'found') {
        yield message.finding;
        continue;
      }
      const job = nextJob(worker);
      if (job === undefined) working--;
      else {
        holds.set(worker, job.group);
        threads.send(worker, job);
      }
    }
  } finally {
    await threads.end();
  }
}
