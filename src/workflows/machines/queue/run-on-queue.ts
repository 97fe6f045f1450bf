import type { FilledResult } from '../../../results/queue-result.ts';
import type { OpenedPlan } from '../s3/shared-plan.ts';
import { imagesOfUnit } from '../unit-lists.ts';
import type { QueueAddress } from './address.ts';
import { connectionNotes } from './connection.ts';
import { followRun } from './follow-run.ts';
import type { RunOnQueueWork } from './on-queue-work.ts';
import type { QueuePackages } from './packages.ts';
import { hearRun } from './run-news.ts';
import { openUnitQueue } from './unit-queue.ts';

export interface RunOnQueueOptions {
  readonly packages: QueuePackages;
  readonly address: QueueAddress;
  /** How often a unit is tried. */
  readonly attempts: number;
  /** Whether to wait until all units are published. */
  readonly wait: boolean;
}

/**
 * Puts the units of a plan that are not published on its queue, and waits for them where that is wanted. Throws
 * UNITS_MISSING where it waited and some failed at all attempts, and INTERRUPTED.
 */
export async function runOnQueue(
  opened: OpenedPlan,
  { packages, address, attempts, wait }: RunOnQueueOptions,
  work: RunOnQueueWork,
): Promise<FilledResult> {
  const { plan } = opened.folder;
  const { run } = plan;
  const missing = (): Promise<number[]> => opened.missing();
  const units = Array.from({ length: plan.units.count }, (_, unit) => unit);
  const notes = connectionNotes(address, work.listener);
  const queue = openUnitQueue(packages, address, { run, use: 'fill', notes });
  const fill = (these: readonly number[]): Promise<number> => queue.fill(these, { attempts });
  try {
    const queued = await missing();
    const before = queued.length === 0 ? 0 : await fill(queued);
    const filled: FilledResult = {
      plan: opened.place,
      run,
      queue: address.shown,
      units: { total: units.length, there: units.length - queued.length, queued: queued.length, before },
    };
    work.onFilled?.(filled);
    if (!wait) return filled;
    const images = units.map((unit) => imagesOfUnit(plan, unit));
    const news = hearRun(packages, address, { run, images }, { notes, listener: work.listener });
    try {
      await followRun({ run, images, queue, news, missing, fill }, work);
      await queue.clear();
    } finally {
      await news.close();
    }
    return filled;
  } finally {
    await queue.close();
  }
}
