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
import { openUnitQueue, queueName } from '../../../../src/workflows/machines/queue/unit-queue.ts';
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
const TAKEN_AGAIN_MS = 1200 + 2 * 300 + 10_000;
const LONG_LEASE = { leaseSeconds: 30, leaseCheckSeconds: 0.3 };

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
    const queue = openUnitQueue(packages, address, { run, use: 'fill', notes });
    closing.push(() => queue.close());
    const missing = () => Promise.resolve(missingOf(plan, sleeping.units));
    const fill = (units: readonly number[]) => queue.fill(units, { attempts });
    await fill(await missing());
    const images = Array.from({ length: sleeping.units }, () => sleeping.images);
    return {
      id: run,
      plan,
      queue,
      fill,
      work: (url = redis.url, options: Readonly<Record<string, unknown>> = {}) => {
        const all = { plan, ...LEASE, ...options };
        const started = startWorker(url, all, { [PASSWORD_VARIABLE]: redis.password });
        workers.push(started);
        return started;
      },
      /** Waits as `extract --queue --wait` does. */
      follow: async () => {
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
  const beganBy = (plan: string, worker: SleepingWorker) =>
    eventsOf(plan).find(({ what, parent }) => what === 'start' && parent === worker.process.pid);
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
    const { plan, work } = await startRun({ units: 2, images: 600, imageMs: 100 });
    const [killed, busy] = [work(), work()];
    const { unit, pid } = await until(() => beganBy(plan, killed));
    await until(() => beganBy(plan, busy));
    work();
    await sleep(1500); // It has found nothing to do.
    killed.process.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const at = Date.now();
    const again = await until(() => eventsOf(plan).find((event) => event.unit === unit && event.at > at));
    expect(again).toMatchObject({ what: 'start' });
    expect(again.at - at).toBeLessThan(TAKEN_AGAIN_MS);
    // Those that live keep theirs.
    await sleep(1500);
    expect(count(plan, 'start')).toBe(3);
  });

  it('leave no network behind when only their worker is killed, though it computes', async () => {
    const { plan, work } = await startRun({ units: 1, images: 1, imageMs: 10, blockMs: 20_000 });
    const killed = work();
    const { pid } = await until(() => startOf(plan));
    killed.process.kill('SIGKILL');
    // Long before it would have ended by itself.
    await until(() => !isAlive(pid), 10_000);
  });

  it('are tried again when their network is killed, by a new one of the same worker', async () => {
    const { plan, work } = await startRun({ units: 2, images: 10, imageMs: 50 });
    const one = work();
    const { pid } = await until(() => startOf(plan));
    process.kill(pid, 'SIGKILL');
    expect(await one.ended).toMatchObject({ units: { made: 2, failed: 1 }, missing: 0 });
    expectEachOnce(plan, 2);
    expect(one.notes()).toMatch(/ended with SIGKILL/);
  });

  it('are given back at once on SIGTERM, and count as not tried', async () => {
    const { plan, work } = await startRun({ units: 1, images: 30, imageMs: 100 }, 1);
    const first = work(redis.url, LONG_LEASE);
    const { pid } = await until(() => startOf(plan));
    const other = work(redis.url, LONG_LEASE);
    await sleep(1500);
    first.process.kill('SIGTERM');
    const at = Date.now();
    const again = await until(() => eventsOf(plan).find((event) => event.what === 'start' && event.pid !== pid));
    // Long before the lease ends.
    expect(again.at - at).toBeLessThan(LONG_LEASE.leaseSeconds * 500);
    expect(await first.ended).toMatchObject({ code: 'INTERRUPTED' });
    expect(await other.ended).toMatchObject({ units: { made: 1 }, missing: 0 });
    expectEachOnce(plan, 1);
  });

  it('run once though the network holds its event loop for longer than the lease', async () => {
    const { plan, work } = await startRun({ units: 2, images: 1, imageMs: 1, blockMs: 2500 });
    const two = [work(), work()];
    const results = await Promise.all(two.map(({ ended }) => ended));
    expectEachOnce(plan, 2);
    expect(count(plan, 'start')).toBe(2);
    expect(results.map((result) => result!.missing)).toEqual([0, 0]);
  });

  it('are published once though a worker slept for longer than its lease, with and without its network', async () => {
    const { plan, work, follow } = await startRun({ units: 4, images: 30, imageMs: 100 });
    const [whole, half] = [work(), work()];
    const { unit, pid } = await until(() => beganBy(plan, whole));
    await until(() => beganBy(plan, half));
    const asleep = [whole.process.pid!, pid, half.process.pid!];
    for (const one of asleep) process.kill(one, 'SIGSTOP');
    const other = work();
    await until(() =>
      eventsOf(plan).find((event) => event.what === 'start' && event.unit === unit && event.pid !== pid),
    );
    for (const one of asleep) process.kill(one, 'SIGCONT');
    await follow();
    expectEachOnce(plan, 4);
    const results = await Promise.all([whole, half, other].map(({ ended }) => ended));
    expect(results.map((result) => result!.missing)).toEqual([0, 0, 0]);
    // Two units were begun twice at most.
    expect(count(plan, 'start')).toBeLessThanOrEqual(6);
  });

  it('that end the process at all attempts are halved down to the images that do it', async () => {
    const { plan, work, follow } = await startRun(
      {
        units: 2,
        images: 9,
        imageMs: 5,
        deadly: [
          [1, 6],
          [1, 2],
        ],
      },
      2,
    );
    const one = work();
    await follow();
    expect(await one.ended).toMatchObject({ units: { made: 2, failed: 1 }, failures: 2, missing: 0 });
    expectEachOnce(plan, 2);
    expect(
      eventsOf(plan)
        .filter(({ what }) => what === 'made')
        .find(({ unit }) => unit === 1)!.crashed,
    ).toEqual([2, 6]);
  });

  it('that fail are tried so often, then left alone and named; filling again begins them anew', async () => {
    const { id, plan, work, follow, queue, fill } = await startRun(
      { units: 3, images: 1, imageMs: 5, failing: [1] },
      2,
    );
    const one = work();
    await expect(follow()).rejects.toMatchObject({ code: 'UNITS_MISSING' });
    expect(await one.ended).toMatchObject({ units: { made: 2, failed: 2 }, missing: 1 });
    expect(await queue.failed(5)).toMatchObject([
      { unit: 1, reason: expect.stringMatching(/as it was told/) as string },
    ]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, failed: 1 });
    sleepingPlan(plan, { run: id, units: 3, images: 1, imageMs: 5 });
    expect(await fill([1])).toBe(0);
    expect(await fill([1])).toBe(1);
    expect(await work().ended).toMatchObject({ units: { made: 1, failed: 0 }, missing: 0 });
    expectEachOnce(plan, 3);
  });

  it('of a worker that fails three in a row are left to others: it ends, with the reason', async () => {
    const { work, queue } = await startRun({ units: 8, images: 1, imageMs: 5, failing: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect(await work().ended).toMatchObject({
      message: expect.stringMatching(/3 units in a row failed here/) as string,
    });
    expect(await queue.counts()).toMatchObject({ failed: 0, active: 0, waiting: 8 });
  });

  it('are not what the queue says: paths, other runs and numbers beyond the plan are refused', async () => {
    const { id, plan, work } = await startRun({ units: 1 });
    const raw = new (await loadQueuePackages()).bullmq.Queue(queueName(id), {
      connection: { port: redis.port, password: redis.password },
      prefix: 'permafrost',
    });
    closing.push(() => raw.close());
    const bad = [{ run: '../..', k: 0 }, { run: 'f'.repeat(16), k: 0 }, { k: '0' }, { run: id, k: 1 }];
    await Promise.all(bad.map((data, i) => raw.add('unit', data, { jobId: `bad-${i}` })));
    const one = work();
    expect(await one.ended).toMatchObject({ units: { made: 1, failed: 0 }, missing: 0 });
    expect(one.notes().match(/what is no unit of this plan/g)).toHaveLength(4);
    expectEachOnce(plan, 1);
  });

  it('live through the death of the server, which keeps a log', async () => {
    const { plan, work, follow } = await startRun({ units: 10, images: 6, imageMs: 50 });
    const two = [work(), work()];
    await until(() => count(plan, 'made') >= 2);
    const following = follow();
    await redis.kill();
    await sleep(1500);
    await redis.restart();
    await following;
    expectEachOnce(plan, 10);
    const results = await Promise.all(two.map(({ ended }) => ended));
    expect(results.map((result) => result!.missing)).toEqual([0, 0]);
    expect(two[0]!.notes()).toMatch(/is away; waiting for it[^]*is back/);
    // What was done in the last second may be handed out again, and is found.
    expect(count(plan, 'start')).toBeLessThanOrEqual(12);
  });

  it('are put there again by the one who waits when the server has lost them', async () => {
    const { plan, work, follow } = await startRun({ units: 10, images: 4, imageMs: 50 });
    const two = [work(), work()];
    const following = follow();
    await until(() => count(plan, 'made') >= 2);
    await redis.command('FLUSHALL');
    const { heard } = await following;
    expect(heard.join('\n')).toMatch(/has lost \d+ units: filling it again/);
    expectEachOnce(plan, 10);
    const results = await Promise.all(two.map(({ ended }) => ended));
    expect(results.map((result) => result!.missing)).toEqual([0, 0]);
  });

  it('live through connections that are cut', async () => {
    const sockets = new Set<Socket>();
    const proxy = createServer((socket) => {
      const server = connect(redis.port, '127.0.0.1');
      for (const one of [socket, server]) {
        sockets.add(one);
        one.on('error', () => undefined).on('close', () => sockets.delete(one));
      }
      socket.pipe(server).pipe(socket);
      socket.on('close', () => server.destroy());
      server.on('close', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { plan, work } = await startRun({ units: 10, images: 4, imageMs: 50 });
    const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}/0`;
    const two = [work(url), work(url)];
    for (let cut = 1; cut <= 4; cut++) {
      await until(() => count(plan, 'made') >= cut);
      for (const socket of sockets) socket.destroy();
    }
    const results = await Promise.all(two.map(({ ended }) => ended));
    proxy.close();
    expectEachOnce(plan, 10);
    expect(results.map((result) => result!.missing)).toEqual([0, 0]);
  });

  it('are each published once whoever is killed at twenty moments: worker, network or both', async () => {
    const { plan, work, follow } = await startRun({ units: 30, images: 6, imageMs: 100 });
    const chance = random(16);
    const team = [work(), work(), work()];
    const following = follow();
    let kills = 0;
    while (kills < 20 && missingOf(plan, 30).length > 0) {
      await sleep(60 + chance.below(240));
      const at = chance.below(team.length);
      const victim = team[at]!;
      const last = eventsOf(plan).findLast(({ parent }) => parent === victim.process.pid);
      const kind = chance.below(3);
      if (last === undefined || !isAlive(last.pid)) continue;
      kills++;
      if (kind !== 0) process.kill(last.pid, 'SIGKILL');
      if (kind === 1) continue;
      victim.process.kill('SIGKILL');
      team[at] = work();
    }
    expect(kills).toBe(20);
    await following;
    expectEachOnce(plan, 30);
    expect(count(plan, 'start')).toBeLessThanOrEqual(30 + kills);
    const results = await Promise.all(team.map(({ ended }) => ended));
    expect(results.map((result) => result?.missing)).toEqual([0, 0, 0]);
  });
});
