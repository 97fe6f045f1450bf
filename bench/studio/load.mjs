// @ts-check
// The studio under many clients: lists, pictures, predictions of uploads, teaching, reviewing, the map, all mixed.
// Counts answers by status, tells milliseconds to the answer by kind, and the memory on the way; then the studio is
// killed, started again, and asked whether every change is there that it had said is done. Linux; needs the build.
//
//   node bench/studio/load.mjs [--store STORE] [--images FOLDER] [--clients 50] [--minutes 10] [--pause 100]
//     [--memory 1GB]
//
// It works on a copy of the store (default: that of the bundled data set). --images: what is uploaded. --pause: most
// milliseconds that a client waits before it asks again.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { EMOJI, EMOJI_STORE, MAIN, makeBundledStore, requireBuild } from './bundled-store.mjs';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: EMOJI_STORE },
    images: { type: 'string', default: `${EMOJI}/val` },
    clients: { type: 'string', default: '50' },
    minutes: { type: 'string', default: '10' },
    pause: { type: 'string', default: '100' },
    memory: { type: 'string', default: '1GB' },
  },
});
const [clients, minutes, pause] = [Number(values.clients), Number(values.minutes), Number(values.pause)];
if (!(clients >= 1 && minutes > 0 && pause >= 0)) {
  console.error('--clients, --minutes and --pause are numbers, the first two above 0.');
  process.exit(2);
}
if (values.store === EMOJI_STORE) makeBundledStore();
else requireBuild();
const uploads = readdirSync(values.images, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .slice(0, 200)
  .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-load-'));
const store = join(scratch, 'store');
cpSync(values.store, store, { recursive: true });
rmSync(join(store, 'studio'), { recursive: true, force: true });

/** @typedef {{ child: import('node:child_process').ChildProcess, port: number, token: string }} Studio */
/** @returns {Promise<Studio>} */
async function startStudio() {
  const child = spawn(process.execPath, [MAIN, 'studio', store, '--json', '--memory', values.memory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const more of child.stdout.setEncoding('utf8')) {
    text += more;
    if (text.trimEnd().endsWith('}')) break;
  }
  const { address, port } = JSON.parse(text);
  return { child, port, token: /** @type {string} */ (new URL(address).searchParams.get('token')) };
}

/** Resident MiB of a process and of those that it started. @param {number} pid @returns {number} */
function residentMiB(pid) {
  try {
    const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children.reduce((sum, child) => sum + residentMiB(Number(child)), own);
  } catch {
    return 0; // it ended meanwhile
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: clients });
/**
 * @param {Studio} studio @param {string} method @param {string} path @param {object} [body]
 * @returns {Promise<{ status: number, body: Buffer }>}
 */
function send({ port, token }, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request({ host: '127.0.0.1', port, method, path: `/api${path}`, headers, agent }, (answer) => {
      /** @type {Buffer[]} */
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : body instanceof Uint8Array ? body : JSON.stringify(body));
  });
}

let studio = await startStudio();
const json = async (/** @type {[string, string, object?]} */ ...asked) => {
  const { status, body } = await send(studio, ...asked);
  const found = JSON.parse(body.toString());
  if (status >= 400) throw new Error(`${asked.slice(0, 2).join(' ')}: ${status} ${found.message}`);
  return found;
};
await json('POST', '/heads', { head: 'logistic', pooling: 'avg' });
const { facts, heads } = await json('GET', '/store');
const { id: head } = heads.find((/** @type {{ problem: unknown }} */ { problem }) => problem === null);
for (const name of ['one', 'two', 'three']) await json('POST', '/teach/classes', { name });
const classes = (await json('GET', '/teach')).classes.map((/** @type {{ id: number }} */ { id }) => id);

/** What was said to be done: taught images by their number; names of classes; the last label by row. */
const done = {
  images: /** @type {Map<number, string>} */ (new Map()),
  classes: /** @type {Set<string>} */ (new Set(['one', 'two', 'three'])),
  labels: /** @type {Map<number, string>} */ (new Map()),
};
const below = (/** @type {number} */ n) => Math.floor(Math.random() * n);
const anyRow = () => below(facts.images);
const upload = () => /** @type {Buffer} */ (uploads[below(uploads.length)]);
let sent = 0;

/**
 * @typedef {{ status: number, body: Buffer }} Answer
 * @typedef {{ name: string, weight: number, ask: (client: number) => Promise<Answer> }} Kind
 * @type {readonly Kind[]} A row whose label is decided has one client, whose last one counts.
 */
const KINDS = [
  {
    name: 'list',
    weight: 20,
    ask: () => send(studio, 'GET', `/images?page=${1 + below(Math.ceil(facts.images / 48))}`),
  },
  {
    name: 'list by verdicts',
    weight: 8,
    ask: () => send(studio, 'GET', `/images?head=${head}&order=unsurest&verdict=wrong`),
  },
  {
    name: 'thumbnail',
    weight: 40,
    ask: () => send(studio, 'GET', `/images/${facts.snapshot}/${anyRow()}/thumbnail.webp`),
  },
  {
    name: 'large picture',
    weight: 6,
    ask: () => send(studio, 'GET', `/images/${facts.snapshot}/${anyRow()}/large.webp`),
  },
  {
    name: 'one image',
    weight: 10,
    ask: () => send(studio, 'GET', `/images/${facts.snapshot}/${anyRow()}?head=${head}`),
  },
  { name: 'search an upload', weight: 10, ask: () => send(studio, 'POST', `/search?head=${head}`, upload()) },
  { name: 'map', weight: 3, ask: () => send(studio, 'GET', '/map') },
  { name: 'facts', weight: 3, ask: () => send(studio, 'GET', '/store') },
  {
    name: 'teach an image',
    weight: 3,
    async ask() {
      const bytes = Buffer.concat([upload(), Buffer.from(`${sent++}`)]);
      const answer = await send(studio, 'POST', `/teach/classes/${classes[below(3)]}/images?name=a.png`, bytes);
      if (answer.status === 200)
        done.images.set(JSON.parse(answer.body.toString()).id, createHash('sha256').update(bytes).digest('hex'));
      return answer;
    },
  },
  {
    name: 'teach a class',
    weight: 0.5,
    async ask() {
      const name = `class ${sent++}`;
      const answer = await send(studio, 'POST', '/teach/classes', { name });
      if (answer.status === 200) done.classes.add(name);
      return answer;
    },
  },
  { name: 'taught classes', weight: 1, ask: () => send(studio, 'GET', '/teach') },
  {
    name: 'decide a label',
    weight: 6,
    async ask(client) {
      const row = client + clients * below(Math.max(1, Math.floor((facts.images - client - 1) / clients)));
      const label = `label ${sent++}`;
      const answer = await send(studio, 'PUT', `/images/${facts.snapshot}/${row}/label`, { label });
      if (answer.status === 200) done.labels.set(row, label);
      return answer;
    },
  },
  { name: 'review', weight: 1, ask: () => send(studio, 'GET', '/review') },
  { name: 'save the labels', weight: 0.5, ask: () => send(studio, 'POST', '/review/save') },
  { name: 'train a head', weight: 0.1, ask: () => send(studio, 'POST', '/heads', { head: 'ridge', pooling: 'avg' }) },
];
const total = KINDS.reduce((sum, { weight }) => sum + weight, 0);
function drawn() {
  let at = Math.random() * total;
  for (const kind of KINDS) if ((at -= kind.weight) < 0) return kind;
  return /** @type {(typeof KINDS)[number]} */ (KINDS[0]);
}

/** @type {Map<string, { ms: number[], statuses: Record<number, number>, message: string }>} */
const seen = new Map(KINDS.map(({ name }) => [name, { ms: [], statuses: {}, message: '' }]));
const memory = { first: residentMiB(/** @type {number} */ (studio.child.pid)), most: 0 };
const watch = setInterval(() => {
  memory.most = Math.max(memory.most, residentMiB(/** @type {number} */ (studio.child.pid)));
}, 500);
const until = Date.now() + minutes * 60_000;
await Promise.all(
  Array.from({ length: clients }, async (_, client) => {
    while (Date.now() < until) {
      const kind = drawn();
      const started = performance.now();
      const { status, body } = await kind.ask(client);
      const own = /** @type {NonNullable<ReturnType<typeof seen.get>>} */ (seen.get(kind.name));
      own.ms.push(performance.now() - started);
      own.statuses[status] = (own.statuses[status] ?? 0) + 1;
      if (status >= 400) own.message = body.toString().slice(0, 300);
      await sleep(Math.random() * pause);
    }
  }),
);
clearInterval(watch);

// Not as a person ends it: nothing may wait in memory.
studio.child.kill('SIGKILL');
await once(studio.child, 'exit');
studio = await startStudio();
const taught = (await json('GET', '/teach')).classes;
const kept = new Map(
  taught.flatMap((/** @type {{ images: { id: number, sha256: string }[] }} */ { images }) =>
    images.map(({ id, sha256 }) => [id, sha256]),
  ),
);
const names = new Set(taught.map((/** @type {{ name: string }} */ { name }) => name));
const lost = [
  ...[...done.images].filter(([id, sha256]) => kept.get(id) !== sha256).map(([id]) => `taught image ${id}`),
  ...[...done.classes].filter((name) => !names.has(name)).map((name) => `class ${name}`),
];
for (const [row, label] of done.labels) {
  const { decided } = await json('GET', `/images/${facts.snapshot}/${row}`);
  if (decided !== label) lost.push(`label of row ${row}: ${decided}, not ${label}`);
}
studio.child.kill('SIGINT');
await once(studio.child, 'exit');
agent.destroy();
const isWhole = await new Promise((resolve) =>
  spawn(process.execPath, [MAIN, 'verify', store], { stdio: 'inherit' }).once('exit', (code) => resolve(code === 0)),
);

const rows = [...seen].map(([name, { ms, statuses }]) => {
  const sorted = ms.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return {
    name,
    requests: ms.length,
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'most ms': at(1),
    statuses: JSON.stringify(statuses),
  };
});
console.table(rows);
for (const [name, { message }] of seen) if (message !== '') console.log(`${name}: ${message}`);
const requests = rows.reduce((sum, row) => sum + row.requests, 0);
const failures = [...seen.values()].reduce(
  (sum, { statuses }) =>
    sum + Object.entries(statuses).reduce((n, [status, k]) => n + (Number(status) >= 500 ? k : 0), 0),
  0,
);
const changes = done.images.size + done.classes.size + done.labels.size;
console.log(
  `${requests} requests of ${clients} clients in ${minutes} minutes: ${failures} answers of 500 and more; ${changes} changes checked after a kill, ${lost.length} lost; memory ${Math.round(memory.first)} MiB at the start, ${Math.round(memory.most)} MiB at most; the store is ${isWhole ? 'whole' : 'DAMAGED'}.`,
);
for (const one of lost.slice(0, 20)) console.log(`LOST ${one}`);
console.log(writeReport('studio-load', { clients, minutes, pause, memory, rows, failures, changes, lost, isWhole }));
rmSync(scratch, { recursive: true });
if (failures > 0 || lost.length > 0 || !isWhole) process.exitCode = 1;
