// @ts-check
// What does a kill cost? An extraction is killed (SIGKILL) at a random moment and started again, many times over, until
// it is through.
//   npm run build && node bench/store/kills.mjs IMAGES [--kills 50] [--images 200] [--seed 1] [--cut block3_pool]
//     [--views 0]
// IMAGES: a folder of class folders, or with Train and Val. As many of its images as are asked for are copied. Every
// image is computed by itself (--batch 1), so that the stores can be compared byte for byte; a shard holds four to ten
// of them, so that many are sealed. One undisturbed run is the reference. Prints for each kill the images that were
// sealed in every set, and those that the next run does anew:
// of each set, a shard at most.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { dist, DIST } from './dist.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '50' },
    images: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    cut: { type: 'string', default: 'block3_pool' },
    views: { type: 'string', default: '0' },
    'shard-megabytes': { type: 'string', default: '2' },
  },
});
const [kills, images, seed] = [Number(values.kills), Number(values.images), Number(values.seed)];
const views = Number(values.views);
const [source] = positionals;
if (source === undefined || !(kills >= 1) || !(images >= 8))
  throw new Error(
    'Usage: node bench/store/kills.mjs IMAGES [--kills 50] [--images 200] [--seed 1] [--cut …] [--views 0]',
  );

const { scanDataset } = await dist('extract/dataset/dataset.js');
const { random } = await dist('core/random.js');
const { readManifest } = await dist('store/format/manifest-file.js');
const { takeUpSealed } = await dist('store/write/shard-files.js');
const { parseCuts } = await dist('workflows/network/cuts.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-kills-'));
const dataset = join(scratch, 'pictures');

/**
 * The process that extracts. It tells at once, before anything else happens, how many images are done in which pass: 0,
 * or a view's number.
 */
const CHILD = `
  import { writeSync } from 'node:fs';
  const { index, dataset, options } = JSON.parse(process.argv[1]);
  const { extract } = await import(index);
  const progress = ({ stage, done }) => {
    const [, view] = /^extracting(?: view (\\d+) of \\d+)?$/.exec(stage) ?? [, stage];
    writeSync(1, 'pass ' + (view ?? 0) + ' ' + done + '\\n');
  };
  const { extracted, views } = await extract(dataset, options, { listener: { progress } });
  writeSync(1, 'extracted ' + (extracted + (views?.extracted ?? 0)) + '\\n');
`;
const options = {
  cut: values.cut,
  views,
  batch: 1,
  shardMegabytes: Number(values['shard-megabytes']),
  engine: 'onnxruntime',
  precision: 'fp32',
};

/**
 * Runs the extraction; kills it after `killMs`, unless it ends before. @param {string} store @param {number} [killMs]
 */
async function extract(store, killMs) {
  const started = performance.now();
  const orders = JSON.stringify({
    index: new URL('index.js', DIST).href,
    dataset,
    options: { ...options, store },
  });
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, orders], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  const timer = killMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killMs);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The extraction ended with ${code}`);
  const lines = stdout.trim().split('\n');
  /** Images that were done in each pass. @type {number[]} */
  const done = Array.from({ length: views + 1 }, () => 0);
  for (const line of lines) {
    const [, pass, count] = /^pass (\d+) (\d+)$/.exec(line) ?? [];
    if (pass !== undefined) done[Number(pass)] = Number(count);
  }
  return {
    killed: signal === 'SIGKILL',
    ms: performance.now() - started,
    done,
    extracted: Number(/^extracted (\d+)$/.exec(lines.at(-1) ?? '')?.[1]),
  };
}

/**
 * Rows that the store has sealed, pass by pass, in each set of it; and the largest shard. A reader must get along with
 * the store at any moment.
 * @param {string} store @returns {Promise<{ rows: number[][], largest: number }>}
 */
async function sealedRows(store) {
  const rows = Array.from({ length: views + 1 }, () => parseCuts(values.cut).map(() => 0));
  if (!existsSync(join(store, 'manifest.json'))) return { rows, largest: 0 };
  const manifest = await readManifest(store);
  await takeUpSealed({ path: store, manifest });
  const cuts = parseCuts(values.cut).map((/** @type {{ cut: string }} */ { cut }) => cut);
  let largest = 0;
  for (const { settings, shards } of manifest.sets) {
    const of = /** @type {number[]} */ (rows[settings.view?.number ?? 0]);
    for (const shard of shards) {
      of[cuts.indexOf(settings.cut)] += shard.rows;
      largest = Math.max(largest, shard.rows);
    }
  }
  return { rows, largest };
}

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/**
 * Digest over names and bytes of all files, without the times of this machine's files, and without the sketches: those
 * of a killed run are made again by `check`.
 * @param {string} store
 */
function digestOf(store) {
  const hash = createHash('sha256');
  for (const name of readdirSync(store).sort())
    if (!['file-times.safetensors', 'sketches.safetensors'].includes(name))
      hash.update(`${name}\n`).update(readFileSync(join(store, name)));
  return hash.digest('hex');
}

try {
  const { samples } = await scanDataset(source);
  const step = Math.max(1, Math.floor(samples.length / images));
  const taken = samples.filter((/** @type {unknown} */ _, /** @type {number} */ i) => i % step === 0).slice(0, images);
  for (const { path } of taken) {
    mkdirSync(dirname(join(dataset, path)), { recursive: true });
    copyFileSync(join(source, path), join(dataset, path));
  }
  const reference = join(scratch, 'reference');
  const whole = await extract(reference);
  const perShard = (await sealedRows(reference)).largest;
  const inTrain = taken.filter((/** @type {{ split: string }} */ { split }) => split === 'train').length;
  /** Images of each pass. */
  const wanted = [taken.length, ...Array.from({ length: views }, () => inTrain)];
  console.log(
    `${taken.length} images, ${sum(wanted)} pictures in ${parseCuts(values.cut).length} sets a pass, at most ${perShard} rows a shard, undisturbed ${(whole.ms / 1000).toFixed(1)} s`,
  );
  /** Images of which no set lacks anything, over all passes. @param {number[][]} rows */
  const complete = (rows) => sum(rows.map((sets) => Math.min(...sets)));

  const generator = random(seed);
  /** @type {number[][]} */
  let before = (await sealedRows(join(scratch, 'none'))).rows;
  let [killed, worst, store, number] = [0, 0, join(scratch, 'store-0'), 0];
  while (killed < kills) {
    // Moments from before the first image on; a store that is through is compared, and another one begun.
    const run = await extract(
      store,
      100 + generator.uniform() * Math.min(whole.ms, 4000 + (whole.ms / sum(wanted)) * 3 * perShard),
    );
    const { rows } = await sealedRows(store);
    if (run.killed) {
      killed++;
      let redone = 0;
      for (const [pass, sets] of rows.entries())
        for (const [set, sealed] of sets.entries()) {
          const lost = Number(before[pass]?.[set]) - sealed;
          if (lost > 0) throw new Error(`kill ${killed}: ${lost} sealed rows of pass ${pass} are gone`);
          // What was done and not sealed is done anew: of each set at most a shard.
          redone = Math.max(redone, Number(run.done[pass]) - sealed);
        }
      worst = Math.max(worst, redone);
      if (redone > perShard) throw new Error(`kill ${killed} costs ${redone} rows of a set, more than a shard`);
      console.log(
        `kill ${String(killed).padStart(3)} after ${(run.ms / 1000).toFixed(2).padStart(6)} s: ${complete(rows)} of ${sum(wanted)} pictures sealed, ${redone} to be done anew`,
      );
      before = rows;
      continue;
    }
    finished(run.extracted);
    console.log(`store ${number} is through: equal to the undisturbed one, byte for byte`);
    rmSync(store, { recursive: true });
    store = join(scratch, `store-${++number}`);
    before = (await sealedRows(store)).rows;
  }
  finished((await extract(store)).extracted);
  console.log(
    `${killed} kills: at most ${worst} rows of a set done anew (a shard has ${perShard}); no sealed row was ever lost or extracted again; the final store is the undisturbed one, byte for byte`,
  );

  /** What must hold of a run that came to its end. @param {number} extracted */
  function finished(extracted) {
    const missing = sum(wanted) - complete(before);
    if (extracted !== missing)
      throw new Error(`a resumed run extracted ${extracted} pictures where ${missing} were missing`);
    if (digestOf(store) !== digestOf(reference)) throw new Error(`store ${number} is another than the undisturbed one`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
