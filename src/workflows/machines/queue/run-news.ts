import * as z from 'zod';
import type { Listener } from '../../../core/listener.ts';
import type { QueueAddress } from './address.ts';
import { connectionOf, type ConnectionNotes } from './connection.ts';
import { BEAT, BEAT_MS } from './heartbeat.ts';
import type { QueuePackages } from './packages.ts';
import { queueName, unitOfId } from './unit-queue.ts';

/** Milliseconds without a sign of life after which a worker does not count any more. */
const ALIVE_MS = 5 * BEAT_MS;

/** What is read of a unit's outcome; the rest is the worker's. */
const OUTCOME = z.object({ failures: z.int().min(0) });

/** What the workers of a run tell through the queue. Nothing is decided by it: the folder of the plan is the truth. */
export interface RunNews {
  /** Images of the units under way that are done, by the fractions that workers told. */
  underWay(): number;
  /** Units that were completed since this was asked last. */
  completed(): readonly number[];
  /** Images that are failures, of units that ended meanwhile. */
  failures(): number;
  /** Workers that gave a sign of life lately. */
  workers(): number;
  close(): Promise<void>;
}

/** Listens to a run. `images`: of each unit. */
export function hearRun(
  { bullmq }: QueuePackages,
  address: QueueAddress,
  { run, images }: { readonly run: string; readonly images: readonly number[] },
  { notes, listener }: { readonly notes: ConnectionNotes; readonly listener: Listener | undefined },
): RunNews {
  const events = new bullmq.QueueEvents(queueName(run), { connection: connectionOf(address), prefix: address.prefix });
  const fractions = new Map<number, number>();
  const lastHeard = new Map<string, number>();
  let completed: number[] = [];
  let failures = 0;

  events.on('error', notes.failed);
  events.on('progress', ({ jobId, data }) => {
    const beat = BEAT.safeParse(data);
    const unit = unitOfId(jobId, run);
    if (!beat.success || unit === undefined) return;
    fractions.set(unit, beat.data.share);
    lastHeard.set(beat.data.worker, performance.now());
  });
  const ended = (jobId: string): number | undefined => {
    const unit = unitOfId(jobId, run);
    if (unit !== undefined) fractions.delete(unit);
    return unit;
  };
  events.on('completed', ({ jobId, returnvalue }) => {
    const unit = ended(jobId);
    if (unit !== undefined) completed.push(unit);
    const outcome = OUTCOME.safeParse(returnvalue);
    if (outcome.success) failures += outcome.data.failures;
  });
  events.on('failed', ({ jobId, failedReason }) => {
    listener?.note?.(`Unit ${ended(jobId) ?? jobId} failed at all attempts: ${failedReason}`);
  });
  events.on('stalled', ({ jobId }) => {
    listener?.note?.(`Unit ${ended(jobId) ?? jobId} went back to the queue: its worker gives no sign of life.`);
  });

  return {
    underWay: () => [...fractions].reduce((sum, [unit, done]) => sum + Math.round(done * (images[unit] ?? 0)), 0),
    completed() {
      const units = completed;
      completed = [];
      return units;
    },
    failures: () => failures,
    workers() {
      const since = performance.now() - ALIVE_MS;
      return [...lastHeard.values()].filter((at) => at >= since).length;
    },
    close: () => events.close(),
  };
}
