// @ts-check
// Does every command that answers from features stay below a stated memory on a million images?
//   npm run build && node bench/classify/million.mjs IMAGE [--rows 1000000] [--classes 10] [--memory 1GB] [--folder FOLDER] [--head NAME]...
// Makes a store of generated features, 512 numbers a row, one row in a hundred for validation (2.4 GB for a million), and runs the built
// program on it, each command in a process of its own whose peak resident memory is seen from outside: train of each head with --memory,
// neighbors and predict of IMAGE, any picture, by default and with the index "exact". --folder keeps the store for the next time.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure } from '../measure.mjs';
import { machineFacts, writeReport } from '../machine.mjs';
import { makeMillion } from './million-store.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    classes: { type: 'string', default: '10' },
    memory: { type: 'string', default: '1GB' },
    folder: { type: 'string', default: '' },
    head: { type: 'string', multiple: true, default: ['logistic', 'knn', 'softmax'] },
  },
});
const [image] = positionals;
if (image === undefined || !existsSync(image))
  throw new Error('Usage: node bench/classify/million.mjs IMAGE [--rows 1000000]; IMAGE is any picture.');
const folder = values.folder || mkdtempSync(join(tmpdir(), 'permafrost-bench-million-'));
mkdirSync(folder, { recursive: true });
const store = join(folder, `rows-${values.rows}-${values.classes}.permafrost`);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** @type {{ name: string, peakBytes: number, wallSeconds: number, cpuSeconds: number, notes: string[] }[]} */
const results = [];
/** @param {string} name @param {string[]} args */
function run(name, args) {
  const { usage, stdout } = measure('python3', [process.execPath, main, ...args, '--json', '--quiet']);
  /** @type {{ notes?: string[] }} */
  const { notes = [] } = JSON.parse(stdout);
  results.push({
    name,
    peakBytes: usage.peakRssMiB * 2 ** 20,
    wallSeconds: usage.wallSeconds,
    cpuSeconds: usage.cpuSeconds,
    notes,
  });
  const line = [
    `${((usage.peakRssMiB * 2 ** 20) / 1e9).toFixed(2)} GB`,
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
    // Of the head trained by epochs a few: each is a pass, and one takes what another does.
    const own = head === 'softmax' ? ['--max-epochs', '3'] : [];
    run(`train --head ${head} --memory ${values.memory}`, [
      'train',
      store,
      ...['--head', head, '--memory', values.memory, '--reject', '0', '--out', file, ...own],
    ]);
    run(`predict by ${head}`, ['predict', file, image]);
  }
} finally {
  if (values.folder === '') rmSync(folder, { recursive: true, force: true });
}
console.log(machineFacts().cpu);
console.log(writeReport('million', { rows: Number(values.rows), classes: Number(values.classes), results }));
