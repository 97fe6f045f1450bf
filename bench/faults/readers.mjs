// @ts-check
// Do readers get right answers while others write? Processes read a store in every way of the library and the commands,
// over and over, while one process extracts two lists in turn, collects what the current one does not need, and
// migrates shards of an older version.
//   npm run build && node bench/faults/readers.mjs [--readings 10000] [--readers 8] [--minutes 15] [--seed 1]
// Each reading must give the answer of the one list or of the other, or say that the store has changed (STORE_CHANGED):
// anything else is printed, and the bench ends with 1. What the writer did is counted too.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dist } from '../store/dist.mjs';
import { writeLabelledShards } from './labelled-shards.mjs';
import { readings } from './readings.mjs';
import { EXTRACT, twoLists } from './two-lists.mjs';

const { extract } = await dist('workflows/extract/extract.js');
const { gc } = await dist('workflows/care/gc.js');
const { migrate } = await dist('workflows/care/migrate.js');
const { train } = await dist('workflows/train/train.js');
const { random } = await dist('core/random.js');

/** A reader waits so long at most between two steps of a long reading, in milliseconds. */
const LONGEST_PAUSE_MS = 300;

/** What a reading may come to. */
const OUTCOMES = /** @type {const} */ (['of the first list', 'of the second list', 'of both', 'changed', 'WRONG']);
/** @typedef {(typeof OUTCOMES)[number]} Outcome */

/** @param {any} message */
const send = (message) => new Promise((done) => process.send?.(message, () => done(undefined)));

async function reader() {
  const [{ origin, expected, seed, count }] = await once(process, 'message');
  const generator = random(seed);
  const all = await readings();
  const drawn = all.flatMap((one) => Array.from({ length: one.weight }, () => one));
  const pause = () => sleep(generator.uniform() * LONGEST_PAUSE_MS);
  mkdirSync(origin.scratch, { recursive: true });
  for (let n = 0; n < count; n++) {
    const one = drawn[generator.below(drawn.length)];
    if (one === undefined) continue;
    /** @type {Outcome} */
    let outcome = 'WRONG';
    let details = '';
    try {
      const answer = JSON.stringify(await one.read({ ...origin, pause }));
      const [isA, isB] = [answer === expected.a[one.name], answer === expected.b[one.name]];
      if (isA || isB) outcome = isA && isB ? 'of both' : isA ? 'of the first list' : 'of the second list';
      details = answer;
    } catch (error) {
      const { code, message, stack } = /** @type {any} */ (error);
      if (code === 'STORE_CHANGED') outcome = 'changed';
      details = `${code}: ${message}\n${stack}`;
    }
    await send({ name: one.name, outcome, details: outcome === 'WRONG' || outcome === 'changed' ? details : '' });
  }
  process.exit();
}

async function writer() {
  const [{ store, lists }] = await once(process, 'message');
  let isOver = false;
  process.on('message', () => (isOver = true));
  /** @type {[string, () => Promise<unknown>][]} */
  const steps = [
    ['extract', () => extract(lists.b, { ...EXTRACT, store })],
    ['extract', () => extract(lists.a, { ...EXTRACT, store })],
    ['extract', () => extract(lists.b, { ...EXTRACT, store })],
    ['gc', () => gc(store)],
    ['extract', () => extract(lists.a, { ...EXTRACT, store })],
    ['write as an older version', () => writeLabelledShards(store)],
    ['migrate', () => migrate(store)],
    ['gc', () => gc(store)],
  ];
  for (let n = 0; !isOver; n = (n + 1) % steps.length) {
    const [name, step] = /** @type {[string, () => Promise<unknown>]} */ (steps[n]);
    await step();
    await send({ name });
  }
  process.exit();
}

async function bench() {
  const { values } = parseArgs({
    options: {
      readings: { type: 'string', default: '10000' },
      readers: { type: 'string', default: '8' },
      minutes: { type: 'string', default: '15' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [count, readers, minutes, seed] = [values.readings, values.readers, values.minutes, values.seed].map(Number);
  if (!count || !readers || !minutes || seed === undefined)
    throw new Error('Usage: node bench/faults/readers.mjs [--readings 10000] [--readers 8] [--minutes 15] [--seed 1]');
  const scratch = mkdtempSync(join(tmpdir(), 'permafrost-readers-'));
  const began = performance.now();
  try {
    const { lists, origin, expected } = await prepare(scratch);
    const script = fileURLToPath(import.meta.url);
    const writing = fork(script, ['writer']);
    /** @type {Map<string, number>} */
    const written = new Map();
    writing.on('message', (/** @type {any} */ { name }) => void written.set(name, (written.get(name) ?? 0) + 1));
    writing.send({ store: origin.store, lists });
    /** @type {Map<string, Record<Outcome, number>>} */
    const found = new Map();
    /** @type {string[]} */
    const wrong = [];
    /** @type {string[]} */
    const changed = [];
    const all = Array.from({ length: readers }, (_, i) => {
      const child = fork(script, ['reader']);
      child.on('message', (/** @type {any} */ { name, outcome, details }) => {
        const counts = found.get(name) ?? /** @type {any} */ (Object.fromEntries(OUTCOMES.map((one) => [one, 0])));
        counts[outcome]++;
        found.set(name, counts);
        if (outcome === 'WRONG' && wrong.length < 10) wrong.push(`${name}: ${details}`);
        if (outcome === 'changed' && changed.length < 3) changed.push(`${name}: ${details.split('\n')[0]}`);
      });
      child.send({
        origin: { ...origin, scratch: join(scratch, `reader-${i}`) },
        expected,
        seed: seed * 1000 + i,
        count: Math.ceil(count / readers),
      });
      return child;
    });
    const late = setTimeout(() => all.forEach((child) => child.kill()), minutes * 60_000);
    await Promise.all(all.map((child) => once(child, 'exit')));
    clearTimeout(late);
    if (writing.connected) writing.send('end');
    const [writerCode] = writing.exitCode === null ? await once(writing, 'exit') : [writing.exitCode];
    print(found, written, changed, wrong);
    console.log(`${Math.round((performance.now() - began) / 1000)} s, ${readers} readers, seed ${seed}`);
    if (wrong.length > 0 || writerCode !== 0) process.exitCode = 1;
    if (writerCode !== 0) console.log(`The writer ended with ${writerCode}.`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The store, and what each reading gives of either list while nobody writes. @param {string} scratch */
async function prepare(scratch) {
  const lists = await twoLists(join(scratch, 'pictures'));
  const [store, head] = [join(scratch, 'store'), join(scratch, 'head.safetensors')];
  await extract(lists.a, { ...EXTRACT, store });
  await train(store, { head: 'centroid', out: head });
  const origin = { store, head, image: lists.image, scratch: join(scratch, 'before') };
  mkdirSync(origin.scratch);
  /** @type {{ a: Record<string, string>; b: Record<string, string> }} */
  const expected = { a: {}, b: {} };
  for (const list of /** @type {const} */ (['b', 'a'])) {
    await extract(lists[list], { ...EXTRACT, store });
    for (const { name, read } of await readings())
      expected[list][name] = JSON.stringify(await read({ ...origin, pause: () => Promise.resolve() }));
  }
  return { lists, origin, expected };
}

/**
 * @param {ReadonlyMap<string, Record<Outcome, number>>} found @param {ReadonlyMap<string, number>} written
 * @param {readonly string[]} changed @param {readonly string[]} wrong
 */
function print(found, written, changed, wrong) {
  console.table(Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))));
  /** @param {Outcome} outcome */
  const sum = (outcome) => [...found.values()].reduce((total, counts) => total + counts[outcome], 0);
  console.log(`readings: ${OUTCOMES.map((one) => `${sum(one)} ${one}`).join(', ')}`);
  console.log(`the writer: ${[...written].map(([name, times]) => `${times} x ${name}`).join(', ')}`);
  for (const one of changed) console.log(`an example of changed: ${one}`);
  for (const one of wrong) console.log(`WRONG: ${one}`);
}

const role = process.argv[2];
if (role === 'reader') await reader();
else if (role === 'writer') await writer();
else await bench();
