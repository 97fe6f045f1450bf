import { hostname } from 'node:os';
import * as z from 'zod';
import type { Job } from './packages.ts';
import type { UnitData } from './unit-queue.ts';

/** Milliseconds between two signs of life of a worker that is at a unit. */
export const BEAT_MS = 2000;

/** What a worker says while it is at a unit: how much is done of it, between 0 and 1, images of all passes counted. */
export const BEAT = z.object({ worker: z.string(), share: z.number().min(0).max(1) });
export type Beat = z.infer<typeof BEAT>;

const WORKER = `${hostname()}:${process.pid}`;

/** Says every BEAT_MS how far a unit is, until it is stopped. */
export function startHeartbeat(job: Job<UnitData>, failed: (error: unknown) => void) {
  let share = 0;
  const beat = (): void => void job.updateProgress({ worker: WORKER, share } satisfies Beat).catch(failed);
  beat();
  const timer = setInterval(beat, BEAT_MS);
  return {
    images: (done: number, of: number): void => void (share = of === 0 ? 0 : Math.min(1, done / of)),
    stop: (): void => clearInterval(timer),
  };
}
