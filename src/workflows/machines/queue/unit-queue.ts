import * as z from 'zod';
import { reasonOf } from '../../../core/errors.ts';
import type { QueueAddress } from './address.ts';
import { connectionOf, type ConnectionNotes } from './connection.ts';
import type { QueuePackages } from './packages.ts';

/** All that the queue knows of a unit: whose it is, and which. Where it lies and what it is, the plan says. */
const UNIT_DATA = z.strictObject({ run: z.string(), k: z.int().min(0) });
export type UnitData = z.infer<typeof UNIT_DATA>;

/** The units of a run as BullMQ sees them: a queue of its own. */
export const queueName = (run: string): string => `units-${run}`;

/** No colon, which BullMQ keeps for itself, and no integer, which it would count. */
const jobId = ({ run, k }: UnitData): string => `u-${run}-${k}`;

/** The unit that an id of a run names; undefined for another id. */
export function unitOfId(id: string, run: string): number | undefined {
  const start = `u-${run}-`;
  return id.startsWith(start) && /^\d+$/.test(id.slice(start.length)) ? Number(id.slice(start.length)) : undefined;
}

/** The unit that a job stands for. Throws a plain Error where it is none of this run. */
export function unitOf(data: unknown, run: string, units: number): number {
  const parsed = UNIT_DATA.safeParse(data);
  if (!parsed.success) throw new Error('it names no unit');
  if (parsed.data.run !== run) throw new Error('it is of another run');
  if (parsed.data.k >= units) throw new Error(`it is unit ${parsed.data.k}, and the plan has ${units}`);
  return parsed.data.k;
}

/** Units of a run on the server, by what becomes of them. Those that are done have left. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  /** Tried often enough: left alone until the queue is filled again. */
  readonly failed: number;
}

/** Whether a queue is opened to fill it, or only to see what stands there. */
export type QueueUse = 'fill' | 'look';

export interface FillOptions {
  /** How often a unit is tried. */
  readonly attempts: number;
}

/** Milliseconds before a unit is tried a second time; each further time twice as long. */
const RETRY_MS = 2000;
/** Units that are sent at once. */
const CHUNK = 1000;

/** The queue of a run: what is put there, and what stands there. */
export interface UnitQueue {
  counts(): Promise<QueueCounts>;
  /**
   * Puts units there. Those that wait or are under way stay as they are; those that failed begin anew. Returns how
   * many waited or were under way before.
   */
  fill(units: readonly number[], options: FillOptions): Promise<number>;
  /** Units that failed, and the reason of each. At most `most`. */
  failed(most: number): Promise<{ readonly unit: number; readonly reason: string }[]>;
  /**
   * Takes away what is left there of the run. Whoever still takes units writes a little again, so each that ends when
   * all is done does this.
   */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the queue of a run. One that only looks writes nothing: what is cleared stays cleared. */
export function openUnitQueue(
  { bullmq }: QueuePackages,
  address: QueueAddress,
  { run, use, notes }: { readonly run: string; readonly use: QueueUse; readonly notes: ConnectionNotes },
): UnitQueue {
  const queue = new bullmq.Queue(queueName(run), {
    connection: connectionOf(address),
    prefix: address.prefix,
    skipMetasUpdate: use === 'look',
    // What happened is read as it happens; what nobody reads is not kept.
    streams: { events: { maxLen: 10_000 } },
  });
  queue.on('error', notes.failed);

  const counts = async (): Promise<QueueCounts> => {
    const found = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed');
    notes.answered();
    const { active = 0, failed = 0, ...others } = found;
    return { active, failed, waiting: Object.values(others).reduce((sum, n) => sum + n, 0) };
  };

  return {
    counts,
    async fill(units, { attempts }) {
      const before = await counts();
      // An id that is there is not added again, one that failed neither.
      for (;;) {
        const failed = await queue.getFailed(0, CHUNK - 1);
        if (failed.length === 0) break;
        await Promise.all(failed.map((job) => job.remove()));
      }
      for (let from = 0; from < units.length; from += CHUNK) {
        await queue.addBulk(
          units.slice(from, from + CHUNK).map((k) => ({
            name: 'unit',
            data: { run, k },
            opts: {
              jobId: jobId({ run, k }),
              attempts,
              backoff: { type: 'exponential', delay: RETRY_MS },
              removeOnComplete: true,
            },
          })),
        );
      }
      return before.waiting + before.active;
    },
    async failed(most) {
      const jobs = await queue.getFailed(0, most - 1);
      return jobs.map(({ data, failedReason }) => ({ unit: unitOf(data, run, Infinity), reason: failedReason }));
    },
    async clear() {
      // It is stopped, then removed. Where another removed it in between, it is no longer stopped: it is gone as well.
      await queue.obliterate({ force: true }).catch((error: unknown) => {
        if (!reasonOf(error).includes('non-paused')) throw error;
      });
    },
    async close() {
      await queue.close();
    },
  };
}
