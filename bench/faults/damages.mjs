// @ts-check
// What happens when a file of a store is damaged? Every file of a store that has everything, every damage, one at a
// time: verify must notice it, readers must give the same answers or an error in words, repair must leave a store that
// is whole or say what to do.
//   npm run build && node bench/faults/damages.mjs IMAGES [--only PATTERN] [--part 1/4] [--keep FOLDER]
// IMAGES: a folder with Train/across, Train/down, Val/across and Val/down; it is copied. `--part`: every so many cases.
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dist } from '../store/dist.mjs';
import { answerOf, DAMAGES, filesBelow, tried } from './damage-matrix.mjs';
import { makeFullStore } from './full-store.mjs';
import { isFree, readersOf } from './store-readers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    keep: { type: 'string', default: '' },
  },
});
const [images] = positionals;
if (images === undefined)
  throw new Error('Usage: node bench/faults/damages.mjs IMAGES [--only PATTERN] [--part 1/4] [--keep FOLDER]');
const [number, of] = values.part.split('/').map(Number);

const { verify } = await dist('workflows/care/verify.js');
const { repair } = await dist('workflows/care/repair.js');
const { kindOf } = await dist('store/format/file-kinds.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-damages-'));
const whole = values.keep === '' ? join(scratch, 'whole') : join(values.keep, 'whole');
const dataset = values.keep === '' ? join(scratch, 'images') : join(values.keep, 'images');
try {
  if (!existsSync(whole)) {
    cpSync(images, dataset, { recursive: true });
    const [picture] = readdirSync(join(dataset, 'Val', 'down'));
    await makeFullStore(dataset, whole, join(dataset, 'Val', 'down', String(picture)));
  }
  const clean = await verify(whole);
  if (!clean.ok) throw new Error(`the store is damaged to begin with: ${JSON.stringify(clean.damaged)}`);
  const readers = readersOf(whole);
  /** @type {Record<string, string>} */
  const expected = {};
  const store = join(scratch, 'store');
  cpSync(whole, store, { recursive: true });
  for (const [name, read] of Object.entries(readers)) expected[name] = await answerOf(read, store);
  const failing = Object.entries(expected).filter(([, answer]) => !answer.startsWith('='));
  if (failing.length > 0) throw new Error(`readers that fail on the whole store: ${JSON.stringify(failing)}`);

  const files = filesBelow(whole).filter((name) => name.includes(values.only));
  const unknown = files.filter((name) => kindOf(name) === undefined);
  if (unknown.length > 0) throw new Error(`of no known kind: ${unknown.join(', ')}`);
  const cases = files.flatMap((name) => Object.keys(DAMAGES).map((damage) => ({ name, damage })));
  /** @type {Record<string, number>} */
  const counts = {};
  let [runs, found, free] = [0, 0, 0];
  for (const [i, { name, damage }] of cases.entries()) {
    if (i % Number(of) !== Number(number) - 1) continue;
    const how = { isFree, isRepaired: true };
    const result = await tried({ verify, repair, readers }, { whole, store, name, damage }, expected, how);
    if (result === undefined) continue;
    runs++;
    if (result.noticed === 'unnoticed' && isFree(name, damage)) free++;
    const noticed = result.noticed.replace(/ .*/, '');
    counts[noticed] = (counts[noticed] ?? 0) + 1;
    found += result.findings.length;
    for (const finding of result.findings) console.log(`${name}, ${damage}: ${finding}`);
  }
  console.log(
    `${files.length} files, ${runs} damages, ${runs * Object.keys(readers).length} readings: ${found} findings; ${JSON.stringify(counts)}, ${free} of the unnoticed are files that nothing proves or needs (docs/store-format.md)`,
  );
  if (found > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
