// @ts-check
// What does an extraction cost when nothing changed, one image was edited, or a hundred were renamed?
//   npm run build && node bench/store/unchanged.mjs PHOTOGRAPHS [--images 10000] [--rounds 3]
//   npm run build && node bench/store/unchanged.mjs --small --images 200000 --rounds 1
// PHOTOGRAPHS: a folder with JPEG files anywhere below it. Each image of the data set is one of them with a few bytes
// of its own behind its end, which no decoder reads. The features of the store are made up, under the settings that the
// command has by default (cut block5_pool:avg); what is edited goes through the real network. With --small the files
// are generated JPEGs of some hundred bytes, so that 200,000 of them are there in minutes. Peak memory is that of the
// whole command. The page cache is warm in every round.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { measure } from '../measure.mjs';
import { dist, DIST } from './dist.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    small: { type: 'boolean', default: false },
  },
});
const count = Number(values.images);
const [photographs] = positionals;
if ((photographs === undefined) !== values.small || !(count >= 200))
  throw new Error('Usage: node bench/store/unchanged.mjs PHOTOGRAPHS | --small [--images N], N at least 200');

const { makeExtractor } = await dist('workflows/network/extractor.js');
const { EXTRACT_DEFAULTS } = await dist('workflows/extract/options.js');
const { parseCuts } = await dist('workflows/network/cuts.js');
const { commitDataset, openForWriting, setFor } = await dist('store/write/store.js');
const { featureWriter } = await dist('store/write/writer.js');
const { openStore } = await dist('store/open.js');

/** Pooled features alone: ten thousand maps would be half a gigabyte. */
const CUT = 'block5_pool:avg';

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-unchanged-'));
const dataset = join(scratch, 'pictures');
const store = join(scratch, 'store');

/** @returns {Promise<Buffer[]>} */
async function sourceFiles() {
  if (!values.small)
    return readdirSync(String(photographs), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.jpe?g$/i.test(name))
      .sort()
      .map((name) => readFileSync(join(String(photographs), name)));
  return Promise.all(
    ['#b33', '#3b3', '#33b'].map((background) =>
      sharp({ create: { width: 16, height: 12, channels: 3, background } })
        .jpeg()
        .toBuffer(),
    ),
  );
}

async function makeDataset() {
  const sources = await sourceFiles();
  for (const folder of ['train/ants', 'train/bees', 'val/ants', 'val/bees'])
    mkdirSync(join(dataset, folder), { recursive: true });
  return Array.from({ length: count }, (_, i) => {
    const [label, split] = [i % 2 === 0 ? 'ants' : 'bees', i % 5 < 4 ? 'train' : 'val'];
    const path = `${split}/${label}/${String(i).padStart(6, '0')}.jpg`;
    const bytes = Buffer.concat([sources[i % sources.length] ?? Buffer.alloc(0), Buffer.from(`#${i}`)]);
    writeFileSync(join(dataset, path), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { id: sha256.slice(0, 16), path, label, split, sha256, width: 500, height: 375, orientation: 1 };
  });
}

/** @param {any[]} rows */
async function makeStore(rows) {
  const extractor = await makeExtractor({ ...EXTRACT_DEFAULTS, cuts: parseCuts(CUT), weights: undefined });
  await extractor.executable.dispose();
  const { manifest } = await openForWriting(store, '0.0.0');
  const [{ settings, poolings, widths }] = extractor.sets;
  const set = setFor(manifest, { settings, engine: extractor.engine, widths });
  const writer = featureWriter({ store: { path: store, manifest }, set, poolings, expectedRows: count });
  for (let from = 0; from < count; from += 64) {
    const some = rows.slice(from, from + 64);
    const features = poolings.map((/** @type {'flatten' | 'avg' | 'max'} */ pooling) => {
      const cols = widths[pooling];
      return /** @type {const} */ ([pooling, { data: new Float32Array(some.length * cols), rows: some.length, cols }]);
    });
    await writer.append({ rows: some, features: new Map(features) });
  }
  await writer.seal();
  const samples = [...rows].sort((a, b) => (a.path < b.path ? -1 : 1));
  await commitDataset({ path: store, manifest }, { root: dataset, sets: [{ set, poolings }], samples, failures: [] });
}

/** @param {string[]} flags */
function extract(...flags) {
  const main = fileURLToPath(new URL('cli/main.js', DIST));
  const command = [main, 'extract', dataset, '--store', store, '--cut', CUT, '--json', ...flags];
  const { stdout, usage } = measure('python3', [process.execPath, ...command]);
  const { extracted, reused, unread } = JSON.parse(stdout);
  return { seconds: usage.wallSeconds, peakMib: usage.peakRssMiB, extracted, reused, unread };
}

/** Reading and hashing alone, four files at a time. @param {any[]} rows */
async function hashAll(rows) {
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < rows.length; at = next++) {
      const found = createHash('sha256')
        .update(await readFile(join(dataset, rows[at].path)))
        .digest('hex');
      if (found !== rows[at].sha256) throw new Error(`${rows[at].path} is another`);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return (performance.now() - started) / 1000;
}

/** @param {string} what @param {ReturnType<typeof extract>} found @param {Record<string, number>} expected */
function tell(what, found, expected) {
  for (const [key, value] of Object.entries(expected)) {
    const got = /** @type {Record<string, number>} */ (found)[key];
    if (got !== value) throw new Error(`${what}: ${key} is ${got}, expected ${value}`);
  }
  const { seconds, peakMib, extracted, reused, unread } = found;
  console.log(
    `${what.padEnd(34)} ${seconds.toFixed(2).padStart(7)} s ${peakMib.toFixed(0).padStart(5)} MiB   ${extracted} extracted, ${reused} reused, ${unread} unread`,
  );
}

try {
  const rows = await makeDataset();
  await makeStore(rows);
  await sleep(2500); // so that the files are older than what is trusted
  console.log(`${count} images; ${cpus()[0]?.model}, load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  for (let round = 1; round <= Number(values.rounds); round++) {
    console.log(`${'reading and hashing alone'.padEnd(34)} ${(await hashAll(rows)).toFixed(2).padStart(7)} s`);
    tell('unchanged, --verify', extract('--verify'), { extracted: 0, reused: count, unread: 0 });
    tell('unchanged', extract(), { extracted: 0, reused: count, unread: count });
  }
  appendFileSync(join(dataset, String(rows[7]?.path)), 'edited');
  tell('one edited', extract(), { extracted: 1, reused: count - 1 });
  const renamed = rows.filter(({ split, label }) => split === 'train' && label === 'ants').slice(0, 100);
  for (const { path } of renamed)
    renameSync(join(dataset, path), join(dataset, 'train/bees', `was-${path.split('/').at(-1)}`));
  tell('a hundred moved to another class', extract(), { extracted: 0, reused: count });
  const samples = [...(await (await openStore(store)).samples())];
  const wrong = samples.filter((/** @type {any} */ { path, label }) => path.split('/')[1] !== label);
  const moved = samples.filter((/** @type {any} */ { path }) => path.includes('/was-'));
  if (wrong.length > 0 || moved.length !== 100)
    throw new Error(`${wrong.length} labels are wrong, ${moved.length} moved`);
  console.log('every label is that of its folder');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
