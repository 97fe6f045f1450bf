// @ts-check
// Does the memory of an extraction grow with the number of images?
//   npm run build && node bench/extract/memory.mjs [--images N]... [--engine auto] [--shard-megabytes 4]
// By default 400, 4,000 and 40,000 generated JPEGs, each number in a process of its own, and then in another one that
// finds all of them in the store. The whole of VGG16 runs, but on squares of 32 pixels (contract vgg16 otherwise), so
// that 40,000 images take minutes: what grows with n (lists, rows, times) is as large as at 224. The shard that is not
// sealed yet lies in memory: with shards of 64 MiB three times
// 64 MiB here, where the pooled features are as large as the maps, from 32,768 images on; small shards keep that out of
// the answer. Prints the peak resident memory of each process; writes bench/results/memory-<time>.json.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { writeReport } from '../machine.mjs';
import { lastLine, measure } from '../measure.mjs';

const SIDE = 32;
const CLASSES = 4;
const { values } = parseArgs({
  options: {
    images: { type: 'string', multiple: true, default: ['400', '4000', '40000'] },
    engine: { type: 'string', default: 'auto' },
    'shard-megabytes': { type: 'string', default: '4' },
    // Set by this program for the processes that it starts.
    extract: { type: 'string' },
  },
});

/**
 * A folder of class folders with `count` files, no two alike. A few pictures recur, with a number behind their last
 * marker: the bytes differ, so each file is read, hashed, decoded and inferred.
 * @param {string} folder
 * @param {number} count
 */
async function writeImages(folder, count) {
  const pictures = await Promise.all(
    Array.from({ length: 20 }, (_, i) => {
      const data = Uint8Array.from({ length: 64 * 48 * 3 }, (_, at) => (at * (i + 3) + (at >> 5) * 7 * i) % 256);
      return sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
        .jpeg()
        .toBuffer();
    }),
  );
  for (let c = 0; c < CLASSES; c++) mkdirSync(join(folder, `class-${c}`), { recursive: true });
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.concat([/** @type {Buffer} */ (pictures[i % pictures.length]), Buffer.from(String(i))]);
    writeFileSync(join(folder, `class-${i % CLASSES}`, `${i}.jpg`), bytes);
  }
}

/**
 * One extraction in this process.
 * @param {string} folder
 */
async function extractHere(folder) {
  const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
  /** @type {typeof import('../../src/index.ts')} */
  const { CONTRACTS } = await import(dist('index.js'));
  /** @type {typeof import('../../src/workflows/extract/options.ts')} */
  const { EXTRACT_DEFAULTS } = await import(dist('workflows/extract/options.js'));
  /** @type {typeof import('../../src/workflows/extract/extract-into.ts')} */
  const { extractInto } = await import(dist('workflows/extract/extract-into.js'));
  /** @type {typeof import('../../src/workflows/network/dataset.ts')} */
  const { openDataset } = await import(dist('workflows/network/dataset.js'));
  /** @type {typeof import('../../src/workflows/network/cuts.ts')} */
  const { parseCuts } = await import(dist('workflows/network/cuts.js'));
  /** @type {typeof import('../../src/workflows/network/frozen-network.ts')} */
  const { frozenNetwork } = await import(dist('workflows/network/frozen-network.js'));
  /** @type {typeof import('../../src/workflows/network/extractor.ts')} */
  const { makeExtractor } = await import(dist('workflows/network/extractor.js'));
  const shardMegabytes = Number(values['shard-megabytes']);
  const options = { ...EXTRACT_DEFAULTS, shardMegabytes, engine: /** @type {'auto'} */ (values.engine) };
  const dataset = await openDataset(folder, options);
  const contract = { ...CONTRACTS.vgg16, name: 'memory-bench', size: SIDE };
  const network = { ...(await frozenNetwork(options)), contract };
  const extractor = await makeExtractor({ ...options, network, cuts: parseCuts(options.cut, network.backbone) });
  const { result } = await extractInto(`${folder}.permafrost`, { dataset, extractor, options }, {});
  console.log(
    JSON.stringify({
      extracted: result.extracted,
      reused: result.reused,
      engine: result.engine,
      seconds: result.seconds.extract,
    }),
  );
}

/**
 * @param {number} count
 * @param {boolean} tell
 */
async function measured(count, tell = true) {
  const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-memory-'));
  try {
    const folder = join(scratch, 'images');
    await writeImages(folder, count);
    const flags = ['--engine', values.engine, '--shard-megabytes', values['shard-megabytes']];
    const command = [process.execPath, fileURLToPath(import.meta.url), ...flags];
    const runs = [];
    for (const pass of ['extracted', 'reused']) {
      // Files are known by their times only when they are older than what is trusted.
      if (pass === 'reused') await sleep(2500);
      const { usage, stdout } = measure('python3', [...command, '--extract', folder]);
      /** @type {{ extracted: number, reused: number, engine: { name: string, precision: string }, seconds: number }} */
      const found = lastLine(stdout);
      const done = pass === 'extracted' ? found.extracted : found.reused;
      if (done !== count) throw new Error(`${done} of ${count} images were ${pass}.`);
      const { engine, seconds } = found;
      if (tell)
        console.log(
          `${count} images ${pass.padEnd(9)}: peak ${usage.peakRssMiB.toFixed(0)} MiB, ${(count / seconds).toFixed(0)} images/s, ${engine.name} ${engine.precision}`,
        );
      runs.push({ count, pass, engine, seconds, ...usage });
    }
    return runs;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (values.extract !== undefined) {
  await extractHere(values.extract);
} else {
  // Compiling a network takes more memory than loading a compiled one: OpenVINO's cache is filled before the first
  // measurement.
  await measured(8, false);
  const runs = [];
  for (const count of values.images) runs.push(...(await measured(Number(count))));
  const question = 'Does the memory of an extraction grow with the number of images?';
  console.log(writeReport('memory', { question, side: SIDE, runs }));
}
