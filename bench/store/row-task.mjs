// @ts-check
// One task on one generated store in a process of its own: node row-task.mjs TASK FOLDER ROWS WIDTH POOLING
// Prints {"seconds", "peakMib", "told"} as JSON, the memory that of all processes together; `told` says what was seen,
// for rows.mjs to check.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { watchFamily } from '../process-memory.mjs';
import { dist } from './dist.mjs';

const [task = '', folder = '', rows = '0', width = '0', pooling = 'avg'] = process.argv.slice(2);
const count = Number(rows);
const store = join(folder, 'store');
const classes = join(folder, 'classes');

/** @type {Record<string, () => Promise<unknown>>} */
const TASKS = {
  async generate() {
    const { generatedStore } = await import('./generated-store.mjs');
    const { loadWeights } = await dist('extract/weights/load-weights.js');
    const { vgg16 } = await dist('extract/backbones/vgg.js');
    const { digest } = await loadWeights({ backbone: vgg16 });
    const of = { width: Number(width), pooling: /** @type {'avg'} */ (pooling), weights: digest };
    await generatedStore(folder, count, of);
  },
  /** The list of the data set, read and checked. */
  async list() {
    const { openDataset } = await dist('workflows/network/dataset.js');
    const { samples } = await openDataset(join(folder, 'samples.csv'));
    return samples.length;
  },
  async inspect() {
    const { inspect } = await dist('workflows/care/inspect.js');
    const { images, classes } = await inspect(store);
    return [images, classes.length];
  },
  async verify() {
    const { verify } = await dist('workflows/care/verify.js');
    const { ok } = await verify(store);
    return ok;
  },
  async 'gc --dry-run'() {
    const { gc } = await dist('workflows/care/gc.js');
    const { droppedRows } = await gc(store, { dryRun: true });
    return droppedRows;
  },
  async repair() {
    const { repair } = await dist('workflows/care/repair.js');
    const { damaged, next } = await repair(store);
    return [damaged.length, next];
  },
  async migrate() {
    const { migrate } = await dist('workflows/care/migrate.js');
    return (await migrate(store)).rows;
  },
  /** The data set without its validation images, so that gc has a seventh of every shard to drop. */
  async 'without val'() {
    const { openStore } = await dist('store/open.js');
    const { commitDataset } = await dist('store/write/store.js');
    const opened = await openStore(store);
    const samples = [...(await opened.samples())].filter(
      (/** @type {{ split: string }} */ { split }) => split === 'train',
    );
    const sets = [{ set: opened.manifest.sets[0], poolings: [pooling] }];
    await commitDataset(opened, { root: folder, sets, samples, failures: [] });
    return samples.length;
  },
  async gc() {
    const { gc } = await dist('workflows/care/gc.js');
    const { droppedRows } = await gc(store);
    return droppedRows;
  },
  async check() {
    const { check } = await dist('workflows/check/check.js');
    const { images, exact } = await check(store);
    return [images, exact.length];
  },
  /** A store of ten classes that can be told apart, one image in a hundred for validation. */
  async 'generate classes'() {
    const { makeMillion } = await import('../classify/million-store.mjs');
    await makeMillion(classes, count, 10);
  },
  /** Images cross-validated, the images that the best was trained on, those that it was validated on. */
  async sweep() {
    const { sweepInProcess } = await dist('workflows/sweep/process.js');
    const heads = [{ head: 'centroid' }, { head: 'logistic', C: [0.1, 1] }, { head: 'knn' }];
    const { crossValidated, images, best } = await sweepInProcess(classes, {
      grid: { heads },
      memory: '1GB',
    });
    return [crossValidated > 1000 || crossValidated === images, best.trained, best.validated];
  },
  /** All heads of a run, without the extraction before them; what is told stays as results.json, for the report. */
  async 'run heads'() {
    const { headsOfRun } = await dist('workflows/run/heads.js');
    const { RUN_DEFAULTS } = await dist('workflows/extract/options.js');
    const { seconds, ...told } = await headsOfRun(classes, { ...RUN_DEFAULTS, memory: '1GB' });
    const run = { dataset: '/generated', extracted: 0, reused: count, ...told };
    const took = { load: 0, extract: 0, train: seconds };
    writeFileSync(join(classes, 'results.json'), JSON.stringify({ ...run, seconds: took }));
    const validated = told.heads.map((/** @type {{ validated: number }} */ head) => head.validated);
    // Those on whole maps, which are not there, and ml-logistic; more where a head cannot be trained in streams.
    return [told.heads.length >= 7, told.skipped.length >= 4, ...new Set(validated)];
  },
  /**
   * What a page is about: images in it, of how many, and how many are validated; and whether it is of a bounded size.
   */
  async report() {
    const { report } = await dist('workflows/report/report.js');
    const { htmlReport } = await dist('report/html/page.js');
    const data = await report(classes);
    const bytes = htmlReport(data, { script: '', command: null }).length;
    const { validated } = /** @type {{ validated?: number }} */ (data.judgement);
    return [data.images.length <= 25_100, data.store.images, validated, bytes < 30e6];
  },
  /**
   * One picture, described by the real network, with its nearest neighbours among all training rows; the head is fitted
   * on noise.
   */
  async predict() {
    const { default: sharp } = await import('sharp');
    const { predict } = await dist('workflows/predict/predict.js');
    const { saveHead } = await dist('workflows/train/files/head-files.js');
    const { createHead } = await dist('classify/heads/index.js');
    const { matrixRows } = await dist('core/rows.js');
    const { fitNormalizer } = await dist('classify/normalize.js');
    const { readManifest } = await dist('store/format/manifest-file.js');
    const { random } = await dist('core/random.js');
    const generator = random(3);
    const cols = Number(width);
    const X = { rows: 200, cols, data: Float32Array.from({ length: 200 * cols }, () => generator.uniform()) };
    const labels = Array.from({ length: 200 }, (_, i) => `class-00${i % 2}`);
    const normalizer = await fitNormalizer('l2', matrixRows(X));
    const head = await createHead('logistic', { C: 1 }).fit(matrixRows(X), labels);
    const file = join(folder, 'head.safetensors');
    const [set] = (await readManifest(store)).sets;
    const parts = [{ cut: set.settings.cut, pooling, width: cols }];
    await saveHead(file, { head, normalizer, parts, result: { trained: 200 } }, set, store);
    const picture = join(folder, 'picture.png');
    const pixels = { width: 64, height: 48, channels: /** @type {const} */ (3), background: '#4a7' };
    writeFileSync(picture, await sharp({ create: pixels }).png().toBuffer());
    const { predictions } = await predict(file, [picture], { neighbors: 3 });
    return predictions.map((/** @type {{ neighbors: unknown[] }} */ { neighbors }) => neighbors.length);
  },
  /**
   * What an extraction does for images that are all known, but for asking the file system: the set's contents, a look
   * at each image's, the lists written anew.
   */
  async 'reuse check'() {
    const { openDataset } = await dist('workflows/network/dataset.js');
    const { sampleContents } = await dist('workflows/extract/sample-contents.js');
    const { openFileTimes } = await dist('store/format/file-times.js');
    const { stampOf } = await import('./generated-store.mjs');
    const { setsWriter } = await dist('store/write/sets-writer.js');
    const { readManifest } = await dist('store/format/manifest-file.js');
    const { commitDataset } = await dist('store/write/store.js');
    const { drawSplit } = await dist('workflows/extract/draw-split.js');
    const { keptSplit } = await dist('workflows/extract/kept-split.js');
    const dataset = await openDataset(join(folder, 'samples.csv'));
    const { samples } = dataset;
    const manifest = await readManifest(store);
    const wanted = [{ set: manifest.sets[0], poolings: [pooling] }];
    const times = await openFileTimes(store, folder, false);
    const writer = await setsWriter({ store: { path: store, manifest }, wanted, expectedRows: count });
    const contents = sampleContents(samples);
    for (const { path } of samples) {
      const i = Number(/(\d+)\.jpg$/.exec(path)?.[1]);
      const sha256 = times.recall(path, stampOf(i));
      if (sha256 !== undefined && writer.isKnown(sha256)) contents.set(path, sha256);
    }
    const kept = await keptSplit({ path: store, manifest }, {});
    const drawn = drawSplit(dataset, contents, kept, { seed: 1, valFraction: 0.25, resplit: false });
    const rows = drawn.contents.rows(writer.known);
    const whole = { root: folder, sets: wanted, samples: rows, split: drawn.origin, failures: [] };
    await commitDataset({ path: store, manifest }, whole);
    await times.write();
    return rows.length;
  },
  /** A thousand rows by id, and one class. */
  async 'row access'() {
    const { openRows } = await dist('store/read/access.js');
    const { openStore } = await dist('store/open.js');
    const { MARKS, rowOf } = await import('./generated-store.mjs');
    const opened = await openStore(store);
    const access = openRows(opened);
    const numbers = Array.from({ length: 1000 }, (_, i) => Math.floor((i * count) / 1000));
    const found = await access.rowsById(
      numbers.map((i) => rowOf(i).id),
      pooling,
    );
    for (const i of numbers)
      if (found.get(rowOf(i).id)?.[0] !== i % MARKS) throw new Error(`row ${i} has the features of another`);
    const samples = [...(await opened.samples())].filter(
      (/** @type {{ label: string }} */ { label }) => label === 'class-007',
    );
    const rows = await opened.withSamples(samples).rows({ parts: pooling, memory: 'matrix' });
    return [found.size, rows.rows];
  },
  /** All features of one pooling as matrices. */
  async load() {
    const { openStore } = await dist('store/open.js');
    return (await (await openStore(store)).rows({ parts: pooling, memory: 'matrix' })).rows;
  },
};

const work = TASKS[task];
if (work === undefined) throw new Error(`No task "${task}". Known: ${Object.keys(TASKS).join(', ')}.`);
const mostBytes = watchFamily(process.pid);
const started = performance.now();
const told = await work();
const seconds = (performance.now() - started) / 1000;
// What this process had at most is known; of what it starts, sampled.
const peakMib = Math.max(process.resourceUsage().maxRSS / 1024, mostBytes() / 2 ** 20);
process.stdout.write(JSON.stringify({ seconds, peakMib, told }));
