import { setTimeout as sleep } from 'node:timers/promises';
import { PermafrostError } from '../../../core/errors.ts';
import { plural } from '../../../core/words.ts';
import type { QueueProgress } from '../../../results/queue-result.ts';
import type { Work } from '../../work.ts';
import { paceOfLate } from './pace.ts';
import type { RunNews } from './run-news.ts';
import type { UnitQueue } from './unit-queue.ts';

/** Milliseconds between two looks at the queue, two reports of a progress, and two looks into the plan's folder. */
const LOOK_MS = 500;
const REPORT_MS = 2000;
const LIST_MS = 5000;
/** Failed units that are named. */
const MOST_NAMED = 5;

export interface FollowOptions {
  readonly run: string;
  /** Images of each unit of the plan. */
  readonly images: readonly number[];
  readonly queue: UnitQueue;
  readonly news: RunNews;
  /** Units that are not published yet. */
  readonly missing: () => Promise<readonly number[]>;
  /** Puts missing units on the queue. */
  readonly fill: (units: readonly number[]) => Promise<unknown>;
}

/** What the one who follows takes beside. */
export interface FollowWork extends Work {
  readonly onProgress?: ((progress: QueueProgress) => void) | undefined;
}

async function follow(options: FollowOptions, work: FollowWork): Promise<void> {
  const { run, images, queue, news, missing, fill } = options;
  const total = images.reduce((sum, n) => sum + n, 0);
  const pace = paceOfLate();
  let left = new Set(await missing());
  let listed = performance.now();
  let reported = 0;

  async function list(): Promise<void> {
    left = new Set(await missing());
    listed = performance.now();
  }

  async function look(): Promise<QueueProgress> {
    const counts = await queue.counts();
    for (const unit of news.completed()) left.delete(unit);
    const underWay = counts.waiting + counts.active;
    // What was not heard is read from the folder, which may hold tens of thousands of units.
    const isUnheard = underWay + counts.failed < left.size && performance.now() - listed > LIST_MS;
    if (underWay === 0 || isUnheard) await list();
    const ended = total - [...left].reduce((sum, unit) => sum + images[unit]!, 0);
    const done = Math.min(total, ended + news.underWay());
    pace.count(done);
    const perSecond = pace.perSecond();
    return {
      run,
      units: { total: images.length, done: images.length - left.size, ...counts },
      images: { total, done, failed: news.failures(), perSecond },
      secondsLeft: perSecond > 0 ? (total - done) / perSecond : null,
      workers: news.workers(),
    };
  }

  function report(progress: QueueProgress): void {
    const { units, images: counted, workers } = progress;
    work.listener?.progress?.({
      stage: `${units.done} of ${plural(units.total, 'unit')}, ${plural(workers, 'worker')}`,
      done: counted.done,
      total: counted.total,
      perSecond: counted.perSecond,
    });
    if (performance.now() - reported < REPORT_MS && left.size > 0) return;
    reported = performance.now();
    work.onProgress?.(progress);
  }

  for (;;) {
    const progress = await look();
    const { waiting, active, failed } = progress.units;
    report(progress);
    if (left.size === 0) return;
    if (waiting + active === 0) {
      if (failed >= left.size) throw await failedUnits(queue, left.size);
      work.listener?.note?.(`The queue has lost ${plural(left.size - failed, 'unit')}: filling it again.`);
      await fill([...left]);
    }
    await sleep(LOOK_MS);
    if (work.signal?.aborted) return; // followRun tells it.
  }
}

/**
 * Waits until all units of a run are published. Where the queue's server has lost them, those that are missing are put
 * there again. Throws UNITS_MISSING where units failed at all attempts and no other is left, and INTERRUPTED.
 */
export async function followRun(options: FollowOptions, work: FollowWork): Promise<void> {
  const { signal } = work;
  let onAbort: () => void = () => undefined;
  // What waits for a server that is away is not waited for.
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        new PermafrostError(
          'INTERRUPTED',
          'Interrupted: the units stay on the queue, and workers go on with them. Run the same command again to wait.',
        ),
      );
  });
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort);
  try {
    await Promise.race([follow(options, work), aborted]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function failedUnits(queue: UnitQueue, units: number): Promise<PermafrostError> {
  const reasons = (await queue.failed(MOST_NAMED)).map(({ unit, reason }) => `unit ${unit}: ${reason}`);
  return new PermafrostError(
    'UNITS_MISSING',
    `${plural(units, 'unit')} failed at all attempts: ${reasons.join('; ')}. The others are kept; the same command tries these again.`,
  );
}
