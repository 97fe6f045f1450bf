// @ts-check
// How long a drop takes from the last byte sent to the answer, and whether memory stays bounded over many of them.
// Needs "npm run build"; where no store is named, that of the bundled data set, which is made where it is not there.
//
//   node bench/studio/drops.mjs [--drops 1000] [--store STORE] [--images FOLDER]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { EMOJI, EMOJI_STORE, MAIN, makeBundledStore, requireBuild } from './bundled-store.mjs';

const { values } = parseArgs({
  options: {
    drops: { type: 'string', default: '1000' },
    store: { type: 'string', default: EMOJI_STORE },
    images: { type: 'string', default: `${EMOJI}/val` },
  },
});
const drops = Number(values.drops);
if (!Number.isInteger(drops) || drops < 1) {
  console.error(`--drops must be an integer >= 1, got ${JSON.stringify(values.drops)}.`);
  process.exit(2);
}
if (values.store === EMOJI_STORE) makeBundledStore();
else requireBuild();

if (!existsSync(values.images)) {
  console.error(`There is no folder ${values.images}: name one of images with --images.`);
  process.exit(2);
}
const files = readdirSync(values.images, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name));
if (files.length === 0) {
  console.error(`${values.images} holds no files to drop: name a folder of images with --images.`);
  process.exit(2);
}
const child = spawn(process.execPath, [MAIN, 'studio', values.store, '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = (/** @type {number | null} */ code) => process.exit(code || 1);
child.once('exit', ended);
/** @type {{ address: string, port: number }} */
const { address, port } = await new Promise((resolve) => {
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
    text += more;
    if (!text.trimEnd().endsWith('}')) return;
    const told = JSON.parse(text);
    // What went wrong stands on stderr: the studio ends, and this with it.
    if ('address' in told) resolve(told);
  });
});
child.off('exit', ended);
const headers = { authorization: `Bearer ${new URL(address).searchParams.get('token')}` };
const base = `http://127.0.0.1:${port}`;

/** Resident memory of the server in MiB, now and at most (Linux). */
function memory() {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const of = (/** @type {string} */ key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { nowMiB: Math.round(of('VmRSS')), peakMiB: Math.round(of('VmHWM')) };
}

/** @param {string} path */
async function json(path, init = {}) {
  const answer = await fetch(base + path, { headers, ...init });
  const found = /** @type {any} */ (await answer.json());
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${found.message}`);
  return found;
}

const { heads } = await json('/api/store');
const query = heads
  .filter((/** @type {{ problem: string | null }} */ { problem }) => problem === null)
  .map((/** @type {{ id: string }} */ { id }) => `head=${encodeURIComponent(id)}`)
  .join('&');
// Every drop waits for the map too, as the page's do: it is drawn before the clock starts.
while ((await json('/api/map')).state === 'drawing') await new Promise((resolve) => setTimeout(resolve, 500));

/** @type {number[]} */
const times = [];
/** @type {number[]} */
const network = [];
/** @type {Record<string, ReturnType<typeof memory>>} */
const atDrop = {};
let first = 0;
for (let i = 0; i <= drops; i++) {
  const body = readFileSync(/** @type {string} */ (files[i % files.length]));
  const started = performance.now();
  const answer = await json(`/api/search?${query}`, { method: 'POST', body });
  const ms = performance.now() - started;
  if (answer.neighbors.length === 0 || answer.place === null) throw new Error('the answer lacks neighbours or place');
  if (i === 0) first = ms;
  else {
    times.push(ms);
    network.push(answer.ms.network);
  }
  if ([10, 100, 200, 500, 1000].includes(i) || i === drops) atDrop[i] = memory();
}
child.kill('SIGINT');
await once(child, 'exit');

/** @param {number[]} list @param {number} share */
const quantile = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))];
const summary = (/** @type {number[]} */ list) => ({
  p50: quantile(list, 0.5),
  p95: quantile(list, 0.95),
  most: Math.max(...list),
});
const report = {
  store: values.store,
  heads: heads.length,
  drops,
  firstMs: first,
  dropMs: summary(times),
  networkMs: summary(network),
  memory: atDrop,
};
console.log(JSON.stringify(report, null, 1));
console.log(writeReport('studio-drops', report));
