// @ts-check
// What does the queue itself cost? Real workers on a real Redis, each of two processes, and a network that sleeps.
//   redis-server --port 6399 --save '' --appendonly yes --dir $(mktemp -d) &
//   node bench/machines/queue.mjs --queue redis://127.0.0.1:6399/0 [--workers 1,2,4,8,16] [--units 20] [--seconds 2]
// Each worker has --units units of --seconds. All are started first and wait; then the queue is filled, and the time
// runs from there to the last unit that is published. Efficiency is the time that the units sleep over that of all
// workers: 1 where nothing but the sleeping took time. Starting a worker is not counted. Needs dist/ (npm run build).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { queueAddress } from '../../dist/workflows/machines/queue/address.js';
import { connectionNotes } from '../../dist/workflows/machines/queue/connection.js';
import { WORKER_DEFAULTS } from '../../dist/workflows/machines/queue/options.js';
import { loadQueuePackages } from '../../dist/workflows/machines/queue/packages.js';
import { openUnitQueue } from '../../dist/workflows/machines/queue/unit-queue.js';
import { writeReport } from '../machine.mjs';

const { values } = parseArgs({
  options: {
    queue: { type: 'string', default: 'redis://127.0.0.1:6399/0' },
    workers: { type: 'string', default: '1,2,4,8,16' },
    units: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '2' },
  },
});
const IMAGES = 10;
const perWorker = Number(values.units);
const seconds = Number(values.seconds);
const script = (/** @type {string} */ name) => fileURLToPath(new URL(`../../test/support/${name}`, import.meta.url));
const network = new URL('../../test/support/sleeping-network.mjs', import.meta.url).href;
const packages = await loadQueuePackages();
const address = await queueAddress(values.queue, WORKER_DEFAULTS);

/** @param {string} plan a folder @returns {{ at: number, what: string }[]} */
const eventsOf = (plan) =>
  readFileSync(join(plan, 'log.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** @param {number} workers */
async function measure(workers) {
  const plan = mkdtempSync(join(tmpdir(), 'permafrost-queue-'));
  const run = workers.toString(16).padStart(16, '0');
  const units = workers * perWorker;
  const sleeping = { run, units, images: IMAGES, imageMs: (1000 * seconds) / IMAGES };
  writeFileSync(join(plan, 'sleeping.json'), JSON.stringify(sleeping));
  writeFileSync(join(plan, 'plan.json'), '');
  const queue = openUnitQueue(packages, address, run, connectionNotes(address, undefined));
  await queue.clear();
  const all = Array.from({ length: workers }, () => {
    const args = [script('queue-worker.mjs'), values.queue, JSON.stringify({ plan }), network];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    return { ended: once(child, 'exit'), waits: once(child.stderr, 'data') };
  });
  // Each says that there is nothing to do yet.
  await Promise.all(all.map(({ waits }) => waits));
  const started = Date.now();
  await queue.fill([...Array(units).keys()], { attempts: 3 });
  await Promise.all(all.map(({ ended }) => ended));
  const events = eventsOf(plan);
  const made = events.filter(({ what }) => what === 'made');
  if (made.length !== units) throw new Error(`${made.length} of ${units} units were made`);
  const took = (Math.max(...made.map(({ at }) => at)) - started) / 1000;
  await queue.clear();
  await queue.close();
  rmSync(plan, { recursive: true });
  const begun = events.filter(({ what }) => what === 'start').length;
  return { workers, units, begun, seconds: took, efficiency: (perWorker * seconds) / took };
}

const results = [];
for (const workers of values.workers.split(',').map(Number)) {
  const result = await measure(workers);
  results.push(result);
  const { units, begun, seconds: took, efficiency } = result;
  console.log(
    `${String(workers).padStart(3)} workers: ${units} units in ${took.toFixed(1)} s, efficiency ${efficiency.toFixed(3)}, ${begun} begun`,
  );
}
console.log(writeReport('machines-queue', { unitSeconds: seconds, perWorker, results }));
