// @ts-check
// One task on one generated store in a process of its own: node row-task.mjs TASK FOLDER ROWS WIDTH
// Prints {"seconds", "peakMib", "told"} as JSON; `told` says what was seen, for rows.mjs to check.
import { join } from 'node:path';
import { dist } from './dist.mjs';

const [task = '', folder = '', rows = '0', width = '0'] = process.argv.slice(2);
const count = Number(rows);
const store = join(folder, 'store');

/** @type {Record<string, () => Promise<unknown>>} */
const TASKS = {
  async generate() {
    const { generatedStore } = await import('./generated-store.mjs');
    await generatedStore(folder, count, Number(width));
  },
  /** The list of the data set, read and checked. */
  async list() {
    const { openDataset } = await dist('workflows/dataset.js');
    const { samples } = await openDataset(join(folder, 'samples.csv'), { valFraction: 0.25, seed: 1 });
    return samples.length;
  },
  async inspect() {
    const { inspect } = await dist('workflows/inspect.js');
    const { images, classes } = await inspect(store);
    return [images, classes.length];
  },
  async verify() {
    const { verify } = await dist('workflows/verify.js');
    const { ok } = await verify(store);
    return ok;
  },
  async 'gc --dry-run'() {
    const { gc } = await dist('workflows/gc.js');
    const { droppedRows } = await gc(store, { dryRun: true });
    return droppedRows;
  },
  /** What an extraction does for images that are all known: the set's contents, a look at each image's, the list written anew. */
  async 'reuse check'() {
    const { openDataset } = await dist('workflows/dataset.js');
    const { sampleContents } = await dist('workflows/sample-contents.js');
    const { setsWriter } = await dist('store/sets-writer.js');
    const { eachSample } = await dist('store/reader.js');
    const { readManifest } = await dist('store/manifest.js');
    const { commitDataset } = await dist('store/store.js');
    const { samples } = await openDataset(join(folder, 'samples.csv'), { valFraction: 0.25, seed: 1 });
    const manifest = await readManifest(store);
    const wanted = [{ set: manifest.sets[0], poolings: ['avg'] }];
    const writer = await setsWriter({ store, manifest, wanted, expectedRows: count });
    const contents = sampleContents(samples);
    let at = 0;
    for await (const { sha256 } of eachSample(store, manifest))
      if (writer.isKnown(sha256)) contents.set(samples[at++].path, sha256);
    const rows = contents.rows(writer.known);
    await commitDataset(store, manifest, { root: folder, sets: wanted, samples: rows, failures: [] });
    return rows.length;
  },
  /** A thousand rows by id, and one class. */
  async 'row access'() {
    const { openRows } = await dist('store/row-access.js');
    const { readManifest } = await dist('store/manifest.js');
    const { rowOf } = await import('./generated-store.mjs');
    const access = openRows(store, await readManifest(store));
    const numbers = Array.from({ length: 1000 }, (_, i) => Math.floor((i * count) / 1000));
    const found = await access.rowsById(
      numbers.map((i) => rowOf(i).id),
      'avg',
    );
    for (const i of numbers)
      if (found.get(rowOf(i).id)?.[0] !== i) throw new Error(`row ${i} has the features of another`);
    const { samples } = await access.rowsOfClass('class-007', 'avg');
    return [found.size, samples.length];
  },
  /** All features of one pooling as matrices. */
  async load() {
    const { loadFeatures } = await dist('store/reader.js');
    const { readManifest } = await dist('store/manifest.js');
    const loaded = await loadFeatures(store, await readManifest(store), 'avg', ['train', 'val']);
    return [...loaded.values()].reduce((sum, { X }) => sum + X.rows, 0);
  },
};

const work = TASKS[task];
if (work === undefined) throw new Error(`No task "${task}". Known: ${Object.keys(TASKS).join(', ')}.`);
const started = performance.now();
const told = await work();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ seconds, peakMib: process.resourceUsage().maxRSS / 1024, told }));
