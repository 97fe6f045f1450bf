// @ts-check
// Reads a store in every way, while another writer commits before the n-th file of the store that the reader opens,
// lists or looks at: of each reading for every n, or for `most` of them. Argument: JSON with folder, most, only (names
// of readings; empty: all). Prints a line of JSON for each reading: what it gave, and of which list that is.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/** Is called before a file is opened, listed or looked at. @type {(path: unknown) => Promise<void>} */
let before = () => Promise.resolve();
for (const name of /** @type {const} */ (['open', 'readFile', 'stat', 'lstat', 'readdir'])) {
  const original = /** @type {any} */ (promises[name]);
  /** @type {any} */ (promises)[name] = async (/** @type {any[]} */ ...given) => {
    await before(given[0]);
    return original(...given);
  };
}
const { open } = fs;
/** @type {any} */ (fs).open = (/** @type {any[]} */ ...given) =>
  void before(given[0]).then(() => /** @type {any} */ (open)(...given));
syncBuiltinESMExports();

const { dist } = await import('../../bench/store/dist.mjs');
const { writeLabelledShards } = await import('../../bench/faults/labelled-shards.mjs');
const { readings } = await import('../../bench/faults/readings.mjs');
const { EXTRACT, twoLists } = await import('../../bench/faults/two-lists.mjs');
const { extract } = await dist('workflows/extract/extract.js');
const { gc } = await dist('workflows/care/gc.js');
const { migrate } = await dist('workflows/care/migrate.js');
const { train } = await dist('workflows/train/train.js');
const { openStore } = await dist('store/open.js');
const { lockStore } = await dist('store/write/lock.js');
const { openForWriting, commitDataset } = await dist('store/write/store.js');
const { currentSets } = await dist('store/read/stored-parts.js');

const { folder, most, only } = JSON.parse(String(process.argv[2]));
const lists = await twoLists(join(folder, 'pictures'));
const store = join(folder, 'store');
const scratch = join(folder, 'scratch');
const head = join(folder, 'head.safetensors');
mkdirSync(scratch);

/** Makes a list the current one, as the end of an extraction that has all rows already. @param {any} list */
async function commit(list) {
  const lock = await lockStore(store, 'test');
  try {
    const draft = await openForWriting(store, '0.0.0');
    const { root, failures } = draft.manifest.dataset;
    await commitDataset(draft, { root, failures, sets: currentSets(draft), samples: list });
  } finally {
    await lock.release();
  }
}

/** Keeps the store as it is now, for copies. @param {string} name */
function keep(name) {
  cpSync(store, join(folder, name), { recursive: true });
  return name;
}

await extract(lists.b, { ...EXTRACT, store });
const samplesOfB = [...(await (await openStore(store)).samples())];
await extract(lists.a, { ...EXTRACT, store });
await train(store, { head: 'centroid', out: head });
const samplesOfA = [...(await (await openStore(store)).samples())];
await commit(samplesOfB);
const withB = keep('with-b');
await commit(samplesOfA);
const withA = keep('with-a');
await writeLabelledShards(store);
const labelled = keep('labelled');

/**
 * What a writer does in the middle of a reading. Where rows only move, the reading is what it would have been; where
 * another list is committed, it is that of one of both; only where rows were removed it may say that all has changed.
 */
const WRITERS = [
  { name: 'another list', from: withA, write: () => commit(samplesOfB), right: ['a', 'b'] },
  { name: 'gc', from: withB, write: () => gc(store), right: ['b'] },
  { name: 'migrate', from: labelled, write: () => migrate(store), right: ['a'] },
  {
    name: 'another list, and gc',
    from: withA,
    async write() {
      await commit(samplesOfB);
      await gc(store);
    },
    right: ['a', 'b', 'STORE_CHANGED'],
  },
];

const origin = { store, scratch, image: lists.image, head, pause: () => Promise.resolve() };
/** @param {string} from */
function fresh(from) {
  rmSync(store, { recursive: true, force: true });
  cpSync(join(folder, from), store, { recursive: true });
}

/**
 * Reads while something is done before the n-th step; gives how many steps there were.
 * @param {any} reading @param {number} n @param {() => Promise<unknown>} write
 */
async function readWhile(reading, n, write) {
  let steps = 0;
  let isWriting = false;
  before = async (path) => {
    if (isWriting || typeof path !== 'string' || !path.startsWith(store) || ++steps !== n) return;
    isWriting = true;
    await write();
    isWriting = false;
  };
  try {
    return { answer: JSON.stringify(await reading.read(origin)), steps };
  } catch (error) {
    const { code, message, stack } = /** @type {any} */ (error);
    return { answer: code ?? 'INTERNAL', message, stack, steps };
  } finally {
    before = () => Promise.resolve();
  }
}

for (const reading of await readings()) {
  if (only.length > 0 && !only.includes(reading.name)) continue;
  /** @type {Record<string, string>} */
  const expected = {};
  for (const [list, from] of /** @type {const} */ ([
    ['a', withA],
    ['b', withB],
  ])) {
    fresh(from);
    expected[list] = (await readWhile(reading, 0, () => Promise.resolve())).answer;
  }
  for (const { name, from, write, right } of WRITERS) {
    fresh(from);
    const { steps } = await readWhile(reading, 0, () => Promise.resolve());
    // A cheap reading is tried at more of them.
    const count = Math.min(steps, reading.weight >= 10 ? 8 * most : most);
    for (let i = 0; i < count; i++) {
      const n = 1 + Math.floor(((i + 0.5) * steps) / count);
      fresh(from);
      const { answer, message = '', stack = '' } = await readWhile(reading, n, write);
      const isRight = right.some((one) => answer === (expected[one] ?? one));
      const found = answer === expected['a'] ? 'a' : answer === expected['b'] ? 'b' : answer;
      const details = isRight ? '' : `${message}\n${stack}`;
      console.log(JSON.stringify({ reading: reading.name, writer: name, n, steps, found, isRight, details }));
    }
  }
}
process.exit();
