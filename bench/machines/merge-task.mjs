// @ts-check
// One task of merge.mjs in a process of its own: node merge-task.mjs TASK FOLDER IMAGES WIDTH
// Prints {"seconds", "peakMib", "units", "isRight"} as JSON.
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';

const [task = '', folder = '', images = '0', width = '0'] = process.argv.slice(2);
const store = join(folder, 'store.permafrost');
const count = Number(images);

/** @type {Record<string, () => Promise<{ units?: number, isRight: boolean }>>} */
const TASKS = {
  async generate() {
    const { generatedRun } = await import('./generated-run.mjs');
    const { units } = await generatedRun(store, count, Number(width));
    return { units, isRight: true };
  },
  async merge() {
    const { merge } = await dist('workflows/machines/merge.js');
    const { units, added, copies, rewrittenShards } = await merge(store);
    return { units, isRight: added === count && copies === 0 && rewrittenShards === 0 };
  },
  async verify() {
    const { verify } = await dist('workflows/care/verify.js');
    const { inspect } = await dist('workflows/care/inspect.js');
    const { ok } = await verify(store);
    return { isRight: ok && (await inspect(store)).images === count };
  },
};

const work = TASKS[task];
if (work === undefined) throw new Error(`No task "${task}". Known: ${Object.keys(TASKS).join(', ')}.`);
const started = performance.now();
const told = await work();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ seconds, peakMib: process.resourceUsage().maxRSS / 1024, ...told }));
