// @ts-check
// What do many small files cost: listing them, reading and hashing them, and asking for their times alone?
//   npm run build && node bench/store/listing.mjs [--files 200000]
// Generated files of a few hundred bytes in 100 class folders. Reading goes through the real pipeline, which is told
// that it knows every content: nothing is decoded. The second pass recalls all of them by size and times.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { dist } from './dist.mjs';

const { values } = parseArgs({ options: { files: { type: 'string', default: '200000' } } });
const count = Number(values.files);
const { scanDataset } = await dist('extract/dataset/dataset.js');
const { extractFeatures } = await dist('extract/pipeline.js');
const { CONTRACTS } = await dist('extract/contract.js');
const { openFileTimes } = await dist('store/format/file-times.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-listing-'));
const [pictures, store] = [join(scratch, 'pictures'), join(scratch, 'store')];

/** @template T @param {string} what @param {() => Promise<T>} work @returns {Promise<T>} */
async function timed(what, work) {
  const started = performance.now();
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${what.padEnd(28)} ${seconds.toFixed(2).padStart(8)} s ${((seconds / count) * 1e6).toFixed(1).padStart(7)} us a file   peak ${peak.toFixed(0)} MiB`,
  );
  return result;
}

/** @param {any} dataset @param {boolean} isFirst */
async function pass(dataset, isFirst) {
  const memory = await openFileTimes(store, pictures, isFirst);
  const events = extractFeatures({
    root: dataset.root,
    samples: dataset.samples,
    contract: CONTRACTS.vgg16,
    executable: {
      run: () => Promise.reject(new Error('nothing is to be inferred')),
      dispose: () => Promise.resolve(),
    },
    outputs: [],
    batch: 8,
    isKnown: () => true,
    memory,
  });
  let unread = 0;
  for await (const event of events) {
    if (event.kind !== 'known') throw new Error(`${event.kind}: ${JSON.stringify(event)}`);
    if (event.unread) unread++;
  }
  if (unread !== (isFirst ? 0 : count)) throw new Error(`${unread} files were not read`);
  await memory.write();
}

try {
  mkdirSync(store);
  for (let label = 0; label < 100; label++) mkdirSync(join(pictures, `class-${label}`), { recursive: true });
  for (let i = 0; i < count; i++)
    writeFileSync(join(pictures, `class-${i % 100}`, `${i}.png`), `picture ${i} ${'.'.repeat(400)}`);
  await sleep(2500); // so that the files are older than what is trusted
  console.log(`${count} files; ${cpus()[0]?.model}, load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  const dataset = await timed('listing', () => scanDataset(pictures));
  await timed('reading and hashing', () => pass(dataset, true));
  await timed('by size and times', () => pass(dataset, false));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
