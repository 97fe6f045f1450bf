import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import type { QueueProgress } from '../../../../src/results/queue-result.ts';
import { PASSWORD_VARIABLE, queueAddress } from '../../../../src/workflows/machines/queue/address.ts';
import { connectionNotes } from '../../../../src/workflows/machines/queue/connection.ts';
import { followRun } from '../../../../src/workflows/machines/queue/follow-run.ts';
import { QUEUE_OPTIONS } from '../../../../src/workflows/machines/queue/options.ts';
import { loadQueuePackages } from '../../../../src/workflows/machines/queue/packages.ts';
import { hearRun } from '../../../../src/workflows/machines/queue/run-news.ts';
import { openUnitQueue, type UnitQueue } from '../../../../src/workflows/machines/queue/unit-queue.ts';
import { defaultsOf } from '../../../../src/core/options.ts';
import { redisHere, startRedis, type RedisServer } from '../../../servers/redis.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import {
  eventsOf,
  isAlive,
  missingOf,
  sleepingPlan,
  startWorker,
  until,
  type SleepingPlan,
  type SleepingWorker,
} from '../../../support/sleeping-run.ts';

const folder = temporaryFolders();
const LEASE = { leaseSeconds: 1.2, leaseCheckSeconds: 0.3 };
/** Until a unit is taken again at the latest: the lease and two looks, and the time to notice on a busy machine. */
const TAKEN_AGAIN_MS = 1200 + 2 * 300 + 1500;

describe.skipIf(redisHere.isSkipped)(redisHere.needs('units on a queue'), () => {
  let redis: RedisServer;
  let runs = 0;
  let workers: SleepingWorker[] = [];
  let closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    for (const { process: child } of workers) child.kill('SIGKILL');
    for (const close of closing) await close();
    [workers, closing] = [[], []];
  });

  /** A plan that sleeps, with all its units on the queue. */
  async function startRun(given: Partial<SleepingPlan> = {}, attempts = 3) {
    const run = (++runs).toString(16).padStart(16, '0');
    const sleeping = { run, units: 6, images: 4, imageMs: 50, ...given };
    const plan = sleepingPlan(folder(), sleeping);
    const packages = await loadQueuePackages();
    const options = defaultsOf(QUEUE_OPTIONS);
    const address = await queueAddress(redis.url, options, { [PASSWORD_VARIABLE]: redis.password });
    const notes = connectionNotes(address, undefined);
    const queue = openUnitQueue(packages, address, run, notes);
    closing.push(() => queue.close());
    const missing = () => Promise.resolve(missingOf(plan, sleeping.units));
    const fill = (units: readonly number[]) => queue.fill(units, { attempts });
    await fill(await missing());
    const images = Array.from({ length: sleeping.units }, () => sleeping.images);
    return {
      plan,
      queue,
      fill,
      work(url = redis.url, options: Readonly<Record<string, unknown>> = {}) {
        const all = { plan, ...LEASE, ...options };
        const started = startWorker(url, all, { [PASSWORD_VARIABLE]: redis.password });
        workers.push(started);
        return started;
      },
      /** Waits as `extract --queue --wait` does. */
      async follow() {
        const told: QueueProgress[] = [];
        const heard: string[] = [];
        const listener = { note: (text: string) => void heard.push(text) };
        const news = hearRun(packages, address, { run, images }, { notes, listener });
        try {
          await followRun(
            { run, images, queue, news, missing, fill },
            { listener, onProgress: (progress) => told.push(progress) },
          );
        } finally {
          await news.close();
        }
        return { told, heard };
      },
    };
  }

  const startOf = (plan: string, unit?: number) =>
    eventsOf(plan).find((event) => event.what === 'start' && (unit === undefined || event.unit === unit));
  const count = (plan: string, ...kinds: readonly string[]) =>
    eventsOf(plan).filter(({ what }) => kinds.includes(what)).length;

  /** All units are published, each by one. */
  function expectEachOnce(plan: string, units: number) {
    const made = eventsOf(plan).filter(({ what }) => what === 'made');
    expect(made.map(({ unit }) => unit).sort((a, b) => a - b)).toEqual(Array.from({ length: units }, (_, k) => k));
    expect(missingOf(plan, units)).toEqual([]);
  }

  it('are shared among workers, each made once, and all end by themselves; the one who waits sees it', async () => {
    const { plan, work, follow, queue } = await startRun({ units: 9, images: 8 });
    const three = [work(), work(), work()];
    const { told } = await follow();
    const results = await Promise.all(three.map(({ ended }) => ended));
    expectEachOnce(plan, 9);
    expect(results.map((result) => result!.missing)).toEqual([0, 0, 0]);
    expect(results.reduce((sum, result) => sum + result!.units.made, 0)).toBe(9);
    expect(count(plan, 'start')).toBe(9);
    expect(told.at(-1)).toMatchObject({ units: { total: 9, done: 9, waiting: 0, active: 0, failed: 0 } });
    expect(told.at(-1)!.images).toMatchObject({ total: 72, done: 72, failed: 0 });
    expect(Math.max(...told.map(({ images }) => images.perSecond))).toBeGreaterThan(0);
    expect(Math.max(...told.map(({ workers }) => workers))).toBeGreaterThanOrEqual(1);
    // Nothing of them stays on the server.
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, failed: 0 });
  });

  it('go to another worker within the lease and two looks when a worker is killed with its network', async () => {
    const { plan, work, follow } = await startRun({ units: 2, images: 30, imageMs: 100 });
    const killed = work();
    const { unit, pid } = await until(() => startOf(plan));
    const other = work();
    await until(() => count(plan, 'start') === 2);
    killed.process.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const at = Date.now();
    const again = await until(() => eventsOf(plan).find((event) => event.what === 'start' && event.unit === unit && event.pid !== pid));
    expect(again.at - at).toBeGreaterThan(0);
    await follow();
    expectEachOnce(plan, 2);
    // The other was at its own unit for 3 seconds; a third one has nothing to do, so it takes the unit at once.
    expect(await other.ended).toMatchObject({ units: { made: 2 } });
  });
});
