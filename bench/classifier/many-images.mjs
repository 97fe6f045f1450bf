// @ts-check
/*
 * `predict` of many images into a CSV: its memory as they become more, and what a killed run does when it goes on.
 *
 *   npm run build && nice -n 10 node bench/classifier/many-images.mjs HEAD-OR-STORE PHOTOS [--images 100000]
 *     [--side 160] [--folder SCRATCH]
 *
 * The images are cuttings of the photographs below PHOTOS, each of another place and size, as JPEGs of SIDE pixels and
 * some kilobytes; those that lie in SCRATCH already are used again. Then, each in a process of its own:
 *   1. a tenth of them: the peak of memory;
 *   2. the same tenth, killed (SIGKILL) when half of its rows are there, and run again: no row may be lost, be there
 *      twice or have changed, no image may be asked about again, and the answers must be those of 1;
 *   3. all of them: the peak of memory, and memory at each tenth.
 * Memory is that of the process and all that it starts, a page that several have counted once (Linux). It fails where
 * answers differ, or where the peak of all is more than 64 MB above that of a tenth and what the names of the images
 * take. Writes bench/results/many-images-<time>.json.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { machineFacts, writeReport } from '../machine.mjs';
import { watchFamily } from '../process-memory.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '100000' },
    side: { type: 'string', default: '160' },
    folder: { type: 'string', default: join(tmpdir(), 'permafrost-many-images') },
  },
});
const [head = '', photos = ''] = positionals;
if (photos === '') throw new Error('Give a head or a store, and a folder of photographs.');
const [count, side, scratch] = [Number(values.images), Number(values.side), resolve(values.folder)];
/** Images of a folder. */
const EACH = 1000;
/** What all images may take above a tenth of them, beside their names. */
const GROWTH_BYTES = 64e6;
/** Of a name in the lists that are in memory, and in the table of those that are done: measured at some 200. */
const NAME_BYTES = 400;

const nameOf = (/** @type {number} */ i) =>
  join('images', String(Math.floor(i / EACH)).padStart(4, '0'), `${String(i).padStart(7, '0')}.jpg`);

/** Makes the images that are not there, photograph after photograph: each is decoded once. */
async function makeImages() {
  const files = readdirSync(photos, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort()
    .map((name) => join(photos, name));
  const isThere = (/** @type {number} */ i) => existsSync(join(scratch, nameOf(i)));
  for (let folder = 0; folder * EACH < count; folder++)
    mkdirSync(join(scratch, nameOf(folder * EACH), '..'), { recursive: true });
  let bytes = 0;
  for (const [f, file] of files.entries()) {
    const wanted = [];
    for (let i = f; i < count; i += files.length) if (!isThere(i)) wanted.push(i);
    if (wanted.length === 0) continue;
    const { data, info } = await sharp(file)
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .resize({ width: 2 * side, height: 2 * side, fit: 'cover' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const make = async (/** @type {number} */ i) => {
      // Places and sizes by the number alone: the same images each time.
      const size = side + ((i * 7919) % side);
      const [left, top] = [(i * 104_729) % (2 * side - size + 1), (i * 1_299_709) % (2 * side - size + 1)];
      const jpeg = await sharp(data, { raw: /** @type {import('sharp').Raw} */ (info) })
        .extract({ left, top, width: size, height: size })
        .resize(side, side)
        .modulate({ brightness: 0.9 + (i % 21) / 100 })
        .jpeg({ quality: 75 })
        .toBuffer();
      writeFileSync(join(scratch, nameOf(i)), jpeg);
      bytes += jpeg.length;
    };
    for (let from = 0; from < wanted.length; from += 8) await Promise.all(wanted.slice(from, from + 8).map(make));
  }
  return { photographs: files.length, made: bytes };
}

/** A list of the first images, as `predict` takes it. @param {number} images */
function listOf(images) {
  const file = join(scratch, `first-${images}.txt`);
  writeFileSync(file, Array.from({ length: images }, (_, i) => `${nameOf(i)}\n`).join(''));
  return file;
}

/** Whole lines of a file that another process writes. @param {string} file @returns {Promise<number>} */
async function linesOf(file) {
  if (!existsSync(file)) return 0;
  let lines = 0;
  for await (const chunk of createReadStream(file)) for (const byte of chunk) if (byte === 10) lines++;
  return lines;
}

/**
 * `predict` into a CSV in a process of its own, killed at `killAt` rows.
 * @param {{ images: number, csv: string, killAt?: number }} run
 */
async function predict({ images, csv, killAt = Infinity }) {
  const child = spawn(
    process.execPath,
    ['dist/cli/main.js', 'predict', head, listOf(images), '--csv', csv, '--json', '--quiet'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const started = performance.now();
  let text = '';
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => (text += String(chunk)));
  const most = watchFamily(/** @type {number} */ (child.pid), 500);
  const exit = once(child, 'exit');
  let ended = false;
  void exit.then(() => (ended = true));
  /** @type {{ rows: number, peakMB: number }[]} */
  const onTheWay = [];
  let [peak, rowBytes] = [0, 0];
  while (!ended) {
    await Promise.race([exit, new Promise((wait) => setTimeout(wait, 1000))]);
    // Rows by the size of the file: counting lines would read it again and again.
    const size = existsSync(csv) ? statSync(csv).size : 0;
    if (rowBytes === 0 && size > 4096) rowBytes = size / (await linesOf(csv));
    const rows = rowBytes === 0 ? 0 : Math.round(size / rowBytes);
    if (rows >= ((onTheWay.length + 1) * images) / 10) {
      const now = most();
      peak = Math.max(peak, now);
      onTheWay.push({ rows, peakMB: Math.round(now / 1e6) });
    }
    if (rows >= killAt) child.kill('SIGKILL');
  }
  const seconds = (performance.now() - started) / 1000;
  peak = Math.max(peak, most());
  const [code, signal] = /** @type {[number | null, string | null]} */ (await exit);
  if (signal !== null) return { seconds, peak, onTheWay, counts: undefined };
  if (code !== 0) throw new Error(`predict ended with ${code}`);
  /** @type {{ counts: { images: number, answered: number, failed: number, before: number } }} */
  const { counts } = JSON.parse(text);
  return { seconds, peak, onTheWay, counts };
}

/** Path, label and probability of each row, in order. @param {string} csv */
async function answersOf(csv) {
  const answers = [];
  // Names here hold no comma and no line break.
  for await (const line of createInterface({ input: createReadStream(csv) })) {
    const [path = '', label = '', , probability] = line.split(',');
    answers.push({ path, label, probability: Number(probability) });
  }
  return answers.slice(1);
}

/** @param {boolean} is @param {string} what */
function require(is, what) {
  if (!is) throw new Error(what);
}

const making = performance.now();
const { photographs } = await makeImages();
const first = statSync(join(scratch, nameOf(0))).size;
console.log(
  `${count} images of ${side} x ${side} pixels (the first ${first} bytes) of ${photographs} photographs in ${((performance.now() - making) / 1000).toFixed(0)} s`,
);
const tenth = Math.floor(count / 10);
const csvs = ['tenth', 'killed', 'all'].map((name) => join(scratch, `${name}.csv`));
const [ofTenth = '', ofKilled = '', ofAll = ''] = csvs;
for (const csv of csvs) await rm(csv, { force: true });

const perSecond = (/** @type {number} */ images, /** @type {number} */ seconds) =>
  `${(images / seconds).toFixed(1)} images/s`;
const MB = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

const few = await predict({ images: tenth, csv: ofTenth });
console.log(`${tenth} images: peak ${MB(few.peak)}, ${perSecond(tenth, few.seconds)}`);

const killed = await predict({ images: tenth, csv: ofKilled, killAt: tenth / 2 });
require(killed.counts === undefined, 'it ended before it was killed: give more images');
const left = readFileSync(ofKilled);
const whole = left.subarray(0, left.lastIndexOf(10) + 1);
const before = (await linesOf(ofKilled)) - 1;
const again = await predict({ images: tenth, csv: ofKilled });
require(again.counts?.before === before, `${before} rows were there, ${again.counts?.before} were taken as done`);
require(again.counts?.answered ===
  tenth - before, `${tenth - before} rows lacked, ${again.counts?.answered} were made`);
require(readFileSync(ofKilled).subarray(0, whole.length).equals(whole), 'rows that were there have changed');
const [expected, found] = [await answersOf(ofTenth), await answersOf(ofKilled)];
require(found.length === tenth && expected.length === tenth, `${found.length} rows for ${tenth} images`);
let [differing, largest] = [0, 0];
for (const [i, { path, label, probability }] of found.entries()) {
  const own = /** @type {(typeof expected)[number]} */ (expected[i]);
  require(own.path === path, `row ${i} is of ${path}, not of ${own.path}`);
  if (own.label !== label) differing++;
  largest = Math.max(largest, Math.abs(own.probability - probability));
}
require(differing === 0 && largest < 1e-4, `${differing} answers differ, a probability by ${largest}`);
console.log(
  `killed at ${before} of ${tenth} rows (torn: ${left.length - whole.length} bytes), it went on with ${again.counts?.answered}; none twice, none changed, the same answers (a probability at most ${largest.toExponential(1)} off)`,
);

const all = await predict({ images: count, csv: ofAll });
console.log(`${count} images: peak ${MB(all.peak)}, ${perSecond(count, all.seconds)}`);
console.log(all.onTheWay.map(({ rows, peakMB }) => `  up to ${rows} rows: peak ${peakMB} MB`).join('\n'));
require((await linesOf(ofAll)) === count + 1, 'an image lacks its row');
const growth = all.peak - few.peak;
const allowed = GROWTH_BYTES + NAME_BYTES * (count - tenth);
console.log(`growth from ${tenth} to ${count}: ${MB(growth)} (allowed: ${MB(allowed)})`);
console.log(writeReport('many-images', { head, count, side, few, killed: { before, largest }, all, growth }));
console.log(JSON.stringify(machineFacts()));
if (growth > allowed) process.exitCode = 1;
