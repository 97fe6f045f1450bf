// @ts-check
// What does the queue itself cost? Workers with a network that sleeps take units from a real Redis.
//   npm run build && node bench/machines/queue.mjs [--workers 1,2,4,8,16,32,64] [--unit-ms 1000] [--units 20]
//     [--rounds 3]
// Each worker has --units units to take, each of --unit-ms. All workers are there before the first unit is put into
// the queue; the clock runs from then until the last unit is published. Efficiency is the sleep of all units over the
// time of all workers: 1 where the queue takes no time. Up to eight processes hold the workers, and each worker has its
// process of a network. Processor time is that of Redis and of the workers with their networks, a unit. Writes
// bench/results/queue-<time>.json. Needs redis-server.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { dist } from '../store/dist.mjs';
import { startRedis } from './redis.mjs';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4,8,16,32,64' },
    'unit-ms': { type: 'string', default: '1000' },
    units: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
});
const counts = values.workers.split(',').map(Number);
const [unitMs, unitsEach, rounds] = [Number(values['unit-ms']), Number(values.units), Number(values.rounds)];
if (![...counts, unitMs, unitsEach, rounds].every((n) => n >= 1)) throw new Error('Numbers of 1 or more, please.');

/** @type {typeof import('../../src/workflows/machines/queue/address.ts')} */
const { queueAddress } = await dist('workflows/machines/queue/address.js');
/** @type {typeof import('../../src/workflows/machines/queue/packages.ts')} */
const { loadQueuePackages } = await dist('workflows/machines/queue/packages.js');
/** @type {typeof import('../../src/workflows/machines/queue/unit-queue.ts')} */
const { openUnitQueue } = await dist('workflows/machines/queue/unit-queue.js');
/** @type {typeof import('../../src/workflows/machines/queue/options.ts')} */
const { WORKER_DEFAULTS } = await dist('workflows/machines/queue/options.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-queue-'));
const HOST = fileURLToPath(new URL('./queue-host.mjs', import.meta.url));
const MOST_HOSTS = 8;
/** Clock ticks a second of /proc, on all Linux that Node runs on. */
const TICKS = 100;

/** Seconds of processor time of a process, and of children that it has waited for. @param {number} pid */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5).
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** The processes and all that they started. @param {readonly number[]} pids @returns {number[]} */
function families(pids) {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(name)]),
  );
  const found = new Set(pids);
  // A child may stand before its parent.
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** @param {string} pid of a process that may have ended @returns {number} */
function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
}

let runs = 0;

/** @param {number} workers */
async function measure(workers) {
  const redis = await startRedis(scratch);
  Object.assign(process.env, redis.env);
  const run = (++runs).toString(16).padStart(16, '0');
  const plan = join(scratch, run);
  const units = workers * unitsEach;
  mkdirSync(plan);
  writeFileSync(join(plan, 'plan.json'), JSON.stringify({ run, units, unitMs }));
  const address = await queueAddress(redis.url, WORKER_DEFAULTS);
  const queue = openUnitQueue(await loadQueuePackages(), address, {
    run,
    use: 'fill',
    notes: { failed: (/** @type {unknown} */ error) => console.error(error), answered: () => undefined },
  });
  let made = 0;
  let last = 0;
  const hosts = Array.from({ length: Math.min(workers, MOST_HOSTS) }, (_, i) => {
    const count = Math.floor((workers + i) / Math.min(workers, MOST_HOSTS));
    const host = fork(HOST, [redis.url, plan, String(count)]);
    host.on('message', (message) => {
      const { outcome, at } = /** @type {{ outcome: string, at: number }} */ (message);
      if (outcome !== 'made') throw new Error(`a unit is ${outcome}`);
      made++;
      last = Math.max(last, at);
    });
    return host;
  });
  try {
    while (readdirSync(plan).filter((name) => name.startsWith('ready')).length < workers) await sleep(100);
    // They have their networks; a moment for their connections.
    await sleep(1000);
    const pids = families([redis.pid, ...hosts.map(({ pid }) => Number(pid))]);
    const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const before = cpu();
    const started = Date.now();
    await queue.fill(
      Array.from({ length: units }, (_, unit) => unit),
      { attempts: 1 },
    );
    const ended = Promise.all(hosts.map((host) => once(host, 'exit')));
    while (made < units) await sleep(50);
    const spent = cpu() - before;
    const seconds = (last - started) / 1000;
    await ended;
    return { efficiency: (unitsEach * unitMs) / 1000 / seconds, seconds, cpuMsAUnit: (1000 * spent) / units };
  } finally {
    for (const host of hosts) host.kill('SIGKILL');
    await queue.close();
    await redis.stop();
  }
}

try {
  console.log(`units of ${unitMs} ms, ${unitsEach} a worker; ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`);
  /** @type {Record<string, Awaited<ReturnType<typeof measure>>[]>} */
  const found = {};
  for (let round = 0; round < rounds; round++)
    for (const workers of round % 2 === 0 ? counts : counts.toReversed())
      (found[workers] ??= []).push(await measure(workers));
  console.log('workers  efficiency (least, most)  CPU ms a unit');
  for (const [workers, list] of Object.entries(found)) {
    const efficiency = list.map((one) => one.efficiency);
    console.log(
      [
        workers.padStart(7),
        median(efficiency).toFixed(3).padStart(11),
        `(${Math.min(...efficiency).toFixed(3)}, ${Math.max(...efficiency).toFixed(3)})`,
        median(list.map(({ cpuMsAUnit }) => cpuMsAUnit))
          .toFixed(1)
          .padStart(14),
      ].join(' '),
    );
  }
  console.log(writeReport('queue', { unitMs, unitsEach, found }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
