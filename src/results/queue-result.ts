import type { MergeResult } from './machines-result.ts';

/** One unit that a worker has ended. */
export interface WorkedUnit {
  readonly unit: number;
  /** `made` by this worker; `there` before it began; `lost-race`: another published it first; or it `failed`. */
  readonly outcome: 'made' | 'there' | 'lost-race' | 'failed';
  readonly images: number;
  /** Images of it that are failures. */
  readonly failures: number;
  /** Images of it that the store of the plan had already; absent where it failed. */
  readonly known?: number;
  readonly seconds: number;
  /** Why it failed; null where it did not. */
  readonly reason: string | null;
}

/** What a worker did until there was no unit left. */
export interface WorkerResult {
  /** The run that its plan is of, 16 hex digits. */
  readonly run: string;
  /** The queue's server, without user and password. */
  readonly queue: string;
  /** Units of this worker, by what became of them. */
  readonly units: Readonly<Record<WorkedUnit['outcome'], number>>;
  /** Images of the units that it made. */
  readonly images: number;
  readonly failures: number;
  /** Units of the run that are not there: they failed at all attempts. */
  readonly missing: number;
  readonly seconds: number;
}

/** How far the extraction of a run is, as the one who fills the queue sees it. */
export interface QueueProgress {
  readonly run: string;
  readonly units: {
    readonly total: number;
    readonly done: number;
    readonly waiting: number;
    readonly active: number;
    readonly failed: number;
  };
  readonly images: {
    readonly total: number;
    readonly done: number;
    /** Images that are failures, of units that ended since the queue was filled. */
    readonly failed: number;
    /** Over the last 30 seconds. */
    readonly perSecond: number;
  };
  /** Null where nothing can be said yet. */
  readonly secondsLeft: number | null;
  /** Workers that gave a sign of life lately. */
  readonly workers: number;
}

/** What was put on a queue. */
export interface FilledResult {
  /** The folder of the plan: what `worker` is given. */
  readonly plan: string;
  readonly run: string;
  readonly queue: string;
  readonly units: {
    readonly total: number;
    /** Published already. */
    readonly there: number;
    /** Missing, and on the queue now. */
    readonly queued: number;
    /** Of those: waited or were under way before. */
    readonly before: number;
  };
}

/** What an extraction on a queue came to. */
export interface QueuedResult {
  readonly filled: FilledResult;
  /** Null where it was not waited for. */
  readonly merged: MergeResult | null;
}
