// @ts-check
// Reads changed stores; started by fuzz.mjs. Prints a line a case, a line before and one after each reading.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';
import { change } from './fuzz-changes.mjs';

const { base, work, seed, from, cases, kinds } = JSON.parse(process.argv[2] ?? '{}');
const { random } = await dist('core/random.js');
const { PermafrostError } = await dist('core/errors.js');
const { matrix } = await dist('core/matrix.js');
const { openStore, openRows, openHead, train, verify, inspect, repair, gc } = await dist('index.js');
const { probabilities } = await dist('workflows/train/trained-head.js');
const { setFeatures } = await dist('store/read/shards.js');
const { searchThreads } = await dist('classify/neighbors/search-threads.js');
const { readJournal } = await dist('store/format/journal.js');
const studio = await dist('store/format/studio-files.js');
const { openLooks } = await dist('store/format/validation-looks.js');
const { findIndex, indexFiles } = await dist('store/format/index-file.js');
const { writeReport } = await dist('write-report.js');

/** Memory that one reading may take beside what the process has, in bytes. */
const MOST_BYTES = 3e8;

/** @param {any} answers */
function requireNumbers(answers) {
  for (const value of answers) if (!Number.isFinite(value)) throw new Error(`an answer is ${value}`);
}

/** @param {string} file @param {number} [width] */
async function askHead(file, width) {
  const opened = await openHead(file);
  const cols =
    width ??
    opened.document.width +
      (opened.document.others ?? []).reduce((/** @type {number} */ s, /** @type {any} */ o) => s + o.width, 0);
  const X = matrix(2, cols);
  X.data.forEach((/** @type {number} */ _, /** @type {number} */ i) => (X.data[i] = (i % 7) / 3));
  const P = await probabilities(opened, X);
  requireNumbers(P.data);
  if (P.cols !== opened.head.classes.length) throw new Error('as many answers as classes');
}

/** @type {Record<string, (store: string) => Promise<unknown>>} */
const READINGS = {
  verify: (store) => verify(store),
  inspect: (store) => inspect(store),
  async rows(path) {
    const store = await openStore(path);
    const samples = [...(await store.samples())];
    await store.rows({ parts: 'avg', memory: 'blocks' });
    for (const set of store.manifest.sets) for await (const { X } of setFeatures(path, set, 'avg')) void X;
    await openRows(store).rowsById(
      samples.slice(0, 3).map(({ id }) => id),
      'avg',
    );
  },
  async train(store) {
    for (const head of ['centroid', 'logistic']) {
      const out = join(work, `${head}.safetensors`);
      await train(store, { head, out });
      await askHead(out);
    }
  },
  async heads(store) {
    const folder = join(store, 'heads');
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.safetensors')) : [];
    let failed;
    for (const name of names) await askHead(join(folder, name)).catch((error) => (failed ??= error));
    if (failed !== undefined) throw failed;
  },
  async index(store) {
    const { path, manifest } = await openStore(store);
    const width = manifest.sets[0].widths.avg;
    for (const { name } of await indexFiles(path)) {
      const { of } = JSON.parse(readFileSync(join(path, name.replace(/bin$/, 'json')), 'utf8'));
      await findIndex(path, of, { rows: 24, cols: width });
      const threads = await searchThreads([join(path, name)], 'cosine', width, { teams: 1, size: 1 });
      try {
        const X = matrix(3, width);
        X.data.fill(0.5);
        await threads.candidates(X, 3, 10);
      } finally {
        await threads.end();
      }
    }
  },
  async studio(store) {
    for (const [name, schema] of /** @type {const} */ ([
      ['teach.jsonl', studio.teachSchema],
      ['review.jsonl', studio.reviewSchema],
    ])) {
      const { entries } = await readJournal(studio.journalPath(store, name), schema);
      if (name === 'teach.jsonl') studio.taughtFolders(entries);
    }
  },
  async looks(store) {
    await (await openLooks(store)).add('fuzz', 'val', 1);
  },
  report: (store) => writeReport(store, { out: join(work, 'report.html') }),
  collect: (store) => gc(store, { dryRun: true }),
  repair: (store) => repair(store),
};

/** Readings by kind of change: the last ones may change the store. @type {Record<string, readonly string[]>} */
const READ = {
  arrow: ['verify', 'inspect', 'rows', 'train', 'collect'],
  manifest: ['verify', 'inspect', 'rows', 'train', 'collect', 'repair'],
  seals: ['verify', 'inspect', 'repair', 'rows'],
  head: ['verify', 'heads', 'report'],
  index: ['verify', 'index'],
  'index-seal': ['verify', 'collect', 'index'],
  journal: ['verify', 'studio', 'collect'],
  looks: ['verify', 'looks'],
  answers: ['verify', 'report', 'collect'],
  results: ['verify', 'report', 'inspect'],
};

/** @param {string} text */
const say = (text) => void writeSync(1, `${text.replaceAll('\n', ' ')}\n`);

for (let number = from; number < cases; number++) {
  const kind = kinds[number % kinds.length];
  rmSync(work, { recursive: true, force: true });
  const store = join(work, 'store');
  cpSync(base, store, { recursive: true });
  const told = await change(kind, store, random(seed * 1_000_003 + number));
  say(`case\t${number}\t${kind}\t${told}`);
  for (const reading of READ[kind] ?? []) {
    say(`reading\t${reading}`);
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    let outcome = 'answered';
    try {
      await /** @type {any} */ (READINGS)[reading](store);
    } catch (error) {
      outcome =
        error instanceof PermafrostError
          ? /** @type {any} */ (error).code
          : `broke: ${/** @type {any} */ (error)?.stack ?? error}`;
    }
    const more = process.memoryUsage.rss() - before;
    if (more > MOST_BYTES) outcome = `took ${Math.round(more / 1e6)} MB`;
    say(`done\t${kind}\t${reading}\t${outcome.replaceAll('\t', ' ')}`);
  }
}
process.exit(0);
