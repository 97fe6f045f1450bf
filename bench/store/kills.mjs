// @ts-check
// What does a kill cost? An extraction is killed (SIGKILL) at a random moment and started again, many times over, until it is through.
//   npm run build && node bench/store/kills.mjs IMAGES [--kills 50] [--images 200] [--seed 1] [--cut block3_pool]
// IMAGES: a folder of class folders, or with Train and Val. As many of its images as are asked for are copied. Every image is computed by
// itself (--batch 1), so that the stores can be compared byte for byte; a shard holds four to ten of them, so that many are sealed. One
// undisturbed run is the reference. Prints for each kill the rows that were sealed before it and those that the next run did anew.
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
    'shard-megabytes': { type: 'string', default: '2' },
  },
});
const [kills, images, seed] = [Number(values.kills), Number(values.images), Number(values.seed)];
const [source] = positionals;
if (source === undefined || !(kills >= 1) || !(images >= 8))
  throw new Error('Usage: node bench/store/kills.mjs IMAGES [--kills 50] [--images 200] [--seed 1]');

const { scanDataset } = await dist('extract/dataset.js');
const { random } = await dist('core/random.js');
const { readManifest } = await dist('store/manifest.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-kills-'));
const dataset = join(scratch, 'pictures');

/** The process that extracts. It tells at once, before anything else happens, how many images are done. */
const CHILD = `
  import { writeSync } from 'node:fs';
  const { index, dataset, options } = JSON.parse(process.argv[1]);
  const { extract } = await import(index);
  const progress = ({ stage, done }) => stage === 'extracting' && writeSync(1, done + '\\n');
  const { extracted } = await extract(dataset, options, { listener: { progress } });
  writeSync(1, 'extracted ' + extracted + '\\n');
`;
const options = {
  cut: values.cut,
  batch: 1,
  shardMegabytes: Number(values['shard-megabytes']),
  engine: 'onnxruntime',
  precision: 'fp32',
};

/** Runs the extraction; kills it after `killMs`, unless it ends before. @param {string} store @param {number} [killMs] */
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
  return {
    killed: signal === 'SIGKILL',
    ms: performance.now() - started,
    done: Number(lines.findLast((line) => /^\d+$/.test(line)) ?? 0),
    extracted: Number(/^extracted (\d+)$/.exec(lines.at(-1) ?? '')?.[1]),
  };
}

/** Rows that the store has sealed: a reader must get along with it at any moment. @param {string} store */
async function sealedRows(store) {
  if (!existsSync(join(store, 'manifest.json'))) return { rows: 0, largest: 0 };
  const { sets } = await readManifest(store);
  const shards = sets.flatMap((/** @type {any} */ set) =>
    set.shards.map((/** @type {any} */ { rows }) => Number(rows)),
  );
  return {
    rows: shards.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0),
    largest: Math.max(0, ...shards),
  };
}

/** Digest over names and bytes of all files, without the times of this machine's files. @param {string} store */
function digestOf(store) {
  const hash = createHash('sha256');
  for (const name of readdirSync(store).sort())
    if (name !== 'file-times.safetensors') hash.update(`${name}\n`).update(readFileSync(join(store, name)));
  return hash.digest('hex');
}

try {
  const { samples } = await scanDataset(source);
  const step = Math.max(1, Math.floor(samples.length / images));
  const taken = samples
    .filter((/** @type {unknown} */ _, /** @type {number} */ i) => i % step === 0)
    .slice(0, images);
  for (const { path } of taken) {
    mkdirSync(dirname(join(dataset, path)), { recursive: true });
    copyFileSync(join(source, path), join(dataset, path));
  }
  const reference = join(scratch, 'reference');
  const whole = await extract(reference);
  const perShard = (await sealedRows(reference)).largest;
  console.log(
    `${taken.length} images, ${perShard} rows a shard, undisturbed ${(whole.ms / 1000).toFixed(1)} s`,
  );

  const generator = random(seed);
  let [killed, worst, store, number, before] = [0, 0, join(scratch, 'store-0'), 0, 0];
  while (killed < kills) {
    // Moments from before the first image on; a store that is through is compared, and another one begun.
    const run = await extract(
      store,
      100 + generator.uniform() * Math.min(whole.ms, 4000 + (whole.ms / taken.length) * 3 * perShard),
    );
    const { rows } = await sealedRows(store);
    if (run.killed) {
      killed++;
      if (rows < before) throw new Error(`kill ${killed}: ${before - rows} sealed rows are gone`);
      // What was done and not sealed is done anew: at most a shard.
      const redone = Math.max(0, run.done - rows);
      worst = Math.max(worst, redone);
      if (redone > perShard) throw new Error(`kill ${killed} costs ${redone} rows, more than a shard`);
      console.log(
        `kill ${String(killed).padStart(3)} after ${(run.ms / 1000).toFixed(2).padStart(6)} s: ${rows} of ${taken.length} rows sealed, ${redone} to be done anew`,
      );
      before = rows;
      continue;
    }
    if (run.extracted !== taken.length - before)
      throw new Error('a resumed run extracted other images than were missing');
    if (digestOf(store) !== digestOf(reference))
      throw new Error(`store ${number} is another than the undisturbed one`);
    console.log(`store ${number} is through: equal to the undisturbed one, byte for byte`);
    rmSync(store, { recursive: true });
    [store, before] = [join(scratch, `store-${++number}`), 0];
  }
  const last = await extract(store);
  if (last.extracted !== taken.length - before)
    throw new Error('the last run extracted other images than were missing');
  if (digestOf(store) !== digestOf(reference))
    throw new Error('the last store is another than the undisturbed one');
  console.log(
    `${killed} kills: at most ${worst} rows done anew (a shard has ${perShard}); no sealed row was ever lost or extracted again; the final store is the undisturbed one, byte for byte`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
