// @ts-check
// Does every head train, and answer, on a million images within 1 GB?
//   npm run build && node bench/classify/million.mjs IMAGE [--rows 1000000] [--classes 10] [--folder FOLDER] [--head
//     NAME]...
// Makes a store of generated features, 512 numbers a row, one row in a hundred for validation (2.4 GB for a million),
// and runs the built program on it, each command in a process of its own whose peak resident memory is seen from
// outside: train of each head within --memory 1GB, with the memory that it says it will take, and neighbors and predict
// of IMAGE, any picture. Ends with 1 where a peak is above 1 GB. --folder keeps the store for the next time.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure } from '../measure.mjs';
import { machineFacts, writeReport } from '../machine.mjs';
import { makeMillion } from './million-store.mjs';

/** Every head that is fitted in streams; the others are refused here, and say so. */
const HEADS = ['logistic', 'linear-svm', 'ridge', 'softmax', 'mlp', 'knn', 'centroid'];
const BOUND = 1e9;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    classes: { type: 'string', default: '10' },
    folder: { type: 'string', default: '' },
    head: { type: 'string', multiple: true, default: HEADS },
  },
});
const [image] = positionals;
if (image === undefined || !existsSync(image))
  throw new Error('Usage: node bench/classify/million.mjs IMAGE [--rows 1000000]; IMAGE is any picture.');
const folder = values.folder || mkdtempSync(join(tmpdir(), 'permafrost-bench-million-'));
mkdirSync(folder, { recursive: true });
const store = join(folder, `rows-${values.rows}-${values.classes}.permafrost`);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * @type {{ name: string, estimateBytes: number | undefined, peakBytes: number, wallSeconds: number, cpuSeconds: number,
 *   notes: string[] }[]}
 */
const results = [];
/** @param {string} name @param {string[]} args */
function run(name, args) {
  const { usage, stdout, stderr } = measure('python3', [process.execPath, main, ...args, '--memory', '1GB', '--json']);
  /** @type {{ notes?: string[] }} */
  const { notes = [] } = JSON.parse(stdout);
  const estimate = /in streams takes about ([\d.]+) GB\./.exec(stderr)?.[1];
  results.push({
    name,
    estimateBytes: estimate === undefined ? undefined : Number(estimate) * 1e9,
    peakBytes: usage.peakRssMiB * 2 ** 20,
    wallSeconds: usage.wallSeconds,
    cpuSeconds: usage.cpuSeconds,
    notes,
  });
  const line = [
    ...(estimate === undefined ? [] : [`estimate ${estimate} GB`]),
    `peak ${((usage.peakRssMiB * 2 ** 20) / 1e9).toFixed(2)} GB`,
    `${usage.wallSeconds.toFixed(0)} s`,
    `${usage.cpuSeconds.toFixed(0)} s of the processor`,
    ...notes,
  ];
  console.log(`${name}: ${line.join(', ')}`);
}

try {
  if (!existsSync(store)) await makeMillion(store, Number(values.rows), Number(values.classes));
  run('neighbors', ['neighbors', store, image]);
  run('neighbors --split all', ['neighbors', store, image, '--split', 'all']);
  for (const head of values.head) {
    const file = join(folder, `${head}.safetensors`);
    // Of a head trained by epochs two: each is a pass, and one takes what another does.
    const own = head === 'softmax' || head === 'mlp' ? ['--max-epochs', '2'] : [];
    run(`train --head ${head}`, ['train', store, ...['--head', head, '--out', file, ...own]]);
    run(`predict by ${head}`, ['predict', file, image]);
  }
} finally {
  if (values.folder === '') rmSync(folder, { recursive: true, force: true });
}
const above = results.filter(({ peakBytes }) => peakBytes > BOUND);
for (const { name } of above) console.log(`above 1 GB: ${name}`);
if (above.length > 0) process.exitCode = 1;
console.log(machineFacts().cpu);
console.log(writeReport('million', { rows: Number(values.rows), classes: Number(values.classes), results }));
