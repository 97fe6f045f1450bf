// @ts-check
// Does the studio stay below 1 GB on a store of a million images, and how long does each answer take? Linux: memory is
// read from /proc.
//   npm run build && node bench/studio/million.mjs [--rows 1000000] [--classes 10] [--most 1e9] [--folder FOLDER]
//     [--heads centroid,logistic] [--only STEP,...]
// Makes a store of generated features, 512 numbers a row (2.4 GB for a million; their pictures do not exist), starts
// the studio on it and asks what the page asks, one after the other. Prints seconds and the peak of the memory of all
// the studio's processes together, pages that they share counted once (Pss, sampled). Ends with 1 above --most bytes.
// --folder keeps the store for the next time; heads and map are made anew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { makeMillion } from '../classify/million-store.mjs';
import { machineFacts, writeReport } from '../machine.mjs';
import { familyMemory, watchFamily } from '../process-memory.mjs';
import { MAIN, requireBuild } from './bundled-store.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    classes: { type: 'string', default: '10' },
    most: { type: 'string', default: '1e9' },
    folder: { type: 'string', default: '' },
    heads: { type: 'string', default: 'centroid,logistic' },
    only: { type: 'string', default: '' },
  },
});
requireBuild();
const folder = values.folder || mkdtempSync(join(tmpdir(), 'permafrost-studio-million-'));
mkdirSync(folder, { recursive: true });
const store = join(folder, `rows-${values.rows}-${values.classes}.permafrost`);
if (!existsSync(store)) await makeMillion(store, Number(values.rows), Number(values.classes));
// What a studio kept there before: a map that is not drawn costs nothing.
for (const made of ['studio', 'heads']) rmSync(join(store, made), { recursive: true, force: true });

const started = performance.now();
const child = spawn(process.execPath, [MAIN, 'studio', store, '--memory', '1GB', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});

/** Most that the studio's own process ever had: no sample misses that. */
const ownPeak = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);

const peakBytes = watchFamily(Number(child.pid));

/** @type {{ address: string, port: number }} */
const { address, port } = await new Promise((resolve, reject) => {
  let text = '';
  child.once('exit', (code) => reject(new Error(`the studio ended with ${code}`)));
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
    text += more;
    if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
  });
});
const headers = { authorization: `Bearer ${new URL(address).searchParams.get('token')}` };
const base = `http://127.0.0.1:${port}`;

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
async function ask(method, path, body) {
  const isBytes = body instanceof Uint8Array;
  // No fetch: it keeps connections that the server may close just then, and gives up after five minutes.
  const sent = request(base + path, { method, headers: { ...headers, origin: base }, agent: false });
  const answered = once(sent, 'response');
  sent.end(body === undefined ? undefined : isBytes ? body : JSON.stringify(body));
  const [answer] = /** @type {[import('node:http').IncomingMessage]} */ (await answered);
  const found = JSON.parse(Buffer.concat(await answer.toArray()).toString('utf8'));
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${found.message}`);
  return found;
}
/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @type {{ step: string, seconds: number, peakBytes: number, afterBytes: number, told: string }[]} */
const steps = [];
/** @param {string} step @param {number} since @param {string} told */
function note(step, since, told) {
  const afterBytes = familyMemory(Number(child.pid));
  const line = {
    step,
    seconds: (performance.now() - since) / 1000,
    peakBytes: Math.max(peakBytes(), afterBytes),
    afterBytes,
    told,
  };
  steps.push(line);
  const gb = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
  console.log(
    `${step.padEnd(44)} ${line.seconds.toFixed(2).padStart(7)} s  peak ${gb(line.peakBytes)}  then ${gb(afterBytes)}  ${told}`,
  );
}
/** @param {string} step @param {() => Promise<string>} work */
async function timed(step, work) {
  if (values.only !== '' && !values.only.split(',').some((name) => step.startsWith(name))) return;
  const since = performance.now();
  let told;
  try {
    told = await work();
  } catch (error) {
    told = `FAILED: ${/** @type {Error} */ (error).message}`;
    isGood = false;
  }
  note(step, since, told);
}
let isGood = true;

try {
  note('start', started, '');
  let snapshot = '';
  let row = 0;
  /** @type {string[]} */
  let paths = [];
  await timed('open', async () => {
    const [{ facts }, page] = await Promise.all([ask('GET', '/api/store'), ask('GET', '/api/images')]);
    if (facts.images !== Number(values.rows) || page.total !== facts.images) throw new Error('images are missing');
    snapshot = page.snapshot;
    row = page.rows[20].row;
    paths = page.rows.map((/** @type {{ path: string }} */ { path }) => path);
    return `${facts.images} images, ${facts.classes.length} classes`;
  });
  await timed('page: by class, split and path', async () => {
    const page = await ask('GET', '/api/images?label=class-003&split=train&path=PICTURE-0000&page=2');
    return `${page.total} images`;
  });
  await timed('page: the last one', async () => String((await ask('GET', '/api/images?page=1000000')).page));
  await timed('image: one with its neighbours', async () => {
    const view = await ask('GET', `/api/images/${snapshot}/${row}`);
    return `${view.neighbors.length} neighbours`;
  });
  await timed('map', async () => {
    let map;
    while ((map = await ask('GET', '/api/map')).state === 'drawing') await pause(200);
    return map.state === 'ready' ? `${map.points.length} places, ${map.leftOut} left out` : map.reason;
  });
  const picture = await sharp({
    create: {
      width: 640,
      height: 480,
      channels: 3,
      background: '#27a',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .png()
    .toBuffer();
  for (const round of [1, 2])
    await timed(`search ${round}`, async () => {
      const { neighbors, place, ms } = await ask('POST', '/api/search', picture);
      return `${neighbors.length} neighbours, ${place === null ? 'no place' : 'a place'}, network ${ms.network.toFixed(0)} ms`;
    });
  /** @type {string[]} */
  const heads = [];
  for (const head of values.heads.split(','))
    await timed(`head: ${head} trained`, async () => {
      const { id, trained } = await ask('POST', '/api/heads', { head, pooling: 'avg' });
      heads.push(id);
      return `on ${trained} images`;
    });
  for (const id of heads)
    if (!id.startsWith('knn'))
      for (const request of ['verdict=wrong', 'verdict=right&order=unsurest&page=3', 'predicted=class-001&least=0.5'])
        await timed(`head: ${id.split('-')[0]} judges, ${request.slice(0, 22)}`, async () => {
          const page = await ask('GET', `/api/images?head=${encodeURIComponent(id)}&${request}`);
          return `${page.total} images`;
        });
  const asked = heads.map((id) => `head=${encodeURIComponent(id)}`).join('&');
  await timed('image: one with answers of heads', async () => {
    const view = await ask('GET', `/api/images/${snapshot}/${row}?${asked}`);
    return `${view.answers.length} answers`;
  });
  await timed('search with heads', async () => {
    const { answers } = await ask('POST', `/api/search?${asked}`, picture);
    return `${answers.length} answers`;
  });
  await timed('review', async () => {
    const review = await ask('GET', '/api/review');
    return `${review.suspects.length} suspects`;
  });
  await timed('review: a decision', async () => {
    const { decided, changed } = await ask('POST', '/api/review/decisions', {
      path: paths[3],
      label: 'another',
    });
    return `${decided} decided, ${changed} changed`;
  });
  await timed('review: labels saved', async () => (await ask('POST', '/api/review/save')).path.split('/').at(-1));
  await timed('sweep', async () => {
    const axes = { head: 'centroid', normalize: 'l2', pca: '0' };
    await ask('POST', '/api/sweep', { axes, folds: 2, save: false });
    let state;
    while ((state = await ask('GET', '/api/sweep')).state === 'running') await pause(200);
    return `${state.state}, ${state.lines.length} lines${state.problem === null ? '' : `: ${state.problem}`}`;
  });
  const most = Math.max(ownPeak(), ...steps.map(({ peakBytes }) => peakBytes));
  console.log(
    `the server alone at most ${(ownPeak() / 1e9).toFixed(2)} GB; all processes ${(most / 1e9).toFixed(2)} GB`,
  );
  if (most > Number(values.most)) isGood = false;
  console.log(machineFacts().cpu);
  console.log(
    writeReport('studio-million', {
      rows: Number(values.rows),
      classes: Number(values.classes),
      most,
      steps,
    }),
  );
} finally {
  if (child.exitCode === null) {
    child.removeAllListeners('exit');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }
  if (values.folder === '') rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isGood ? 0 : 1;
