import { hostname } from 'node:os';
import * as z from 'zod';
import type { Job } from './packages.ts';
import type { UnitData } from './unit-queue.ts';

/** Milliseconds between two signs of life of a worker that is at a unit. */
export const BEAT_MS = 2000;

/** What a worker says while it is at a unit. */
export const BEAT = z.object({ worker: z.string(), done: z.int().min(0) });
export type Beat = z.infer<typeof BEAT>;

const WORKER = `${hostname()}:${process.pid}`;

/** Says every BEAT_MS how far a unit is, until it is stopped. */
export function startHeartbeat(job: Job<UnitData>, failed: (error: unknown) => void) {
  let done = 0;
  const beat = (): void => void job.updateProgress({ worker: WORKER, done } satisfies Beat).catch(failed);
  beat();
  const timer = setInterval(beat, BEAT_MS);
  return {
    images: (n: number): void => void (done = n),
    stop: (): void => clearInterval(timer),
  };
}
