// @ts-check
// Is a flipped byte found, named and repaired, wherever it is?
//   npm run build && node bench/store/flips.mjs IMAGES [--places 200] [--images 8] [--seed 1] [--cut block2_pool]
//     [--views 0]
// IMAGES: a folder of class folders, or with Train and Val; as many images as are asked for are taken. The features are
// extracted for real, and what a flip destroys is extracted again. For each place one byte of one file gets another
// value; every kind of file of the store is hit equally often. Then: verify must name that file and no other, repair
// must mend it, and every sample and every number of every cut, pooling and view must be what it was.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { dist } from './dist.mjs';
import { storedMatrices } from '../stored-matrices.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    places: { type: 'string', default: '200' },
    images: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    cut: { type: 'string', default: 'block2_pool' },
    views: { type: 'string', default: '0' },
  },
});
const [places, images] = [Number(values.places), Number(values.images)];
const [source] = positionals;
if (source === undefined || !(places >= 1) || !(images >= 4))
  throw new Error(
    'Usage: node bench/store/flips.mjs IMAGES [--places 200] [--images 8] [--seed 1] [--cut block2_pool] [--views 0]',
  );

const { scanDataset } = await dist('extract/dataset/dataset.js');
const { random } = await dist('core/random.js');
const { canonicalJson, sha256Hex } = await dist('core/digest.js');
const { extract } = await dist('workflows/extract/extract.js');
const { verify } = await dist('workflows/care/verify.js');
const { repair } = await dist('workflows/care/repair.js');
const { openStore } = await dist('store/open.js');
const { currentSets } = await dist('store/read/stored-parts.js');

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-flips-'));
const [dataset, whole, store] = ['pictures', 'whole', 'store'].map((name) => join(scratch, name));
const views = Number(values.views);
const options = { cut: values.cut, views, shardMegabytes: 2, engine: 'onnxruntime', precision: 'fp32' };

/** Everything that a reader sees of the store, as a digest. */
async function content() {
  const opened = await openStore(store);
  const parts = [canonicalJson(await opened.samples())];
  for (let view = 0; view <= views; view++)
    for (const { set, poolings } of currentSets(opened, view))
      for (const pooling of poolings) {
        const part = { cut: set.settings.cut, pooling };
        /** @type {import('../../src/core/sample.ts').Split[]} */
        const splits = view === 0 ? ['train', 'val'] : ['train'];
        for (const [split, { X }] of await storedMatrices(opened, [part], splits, view))
          parts.push(`${view} ${part.cut} ${pooling} ${split} ${sha256Hex(new Uint8Array(X.data.buffer))}`);
      }
  return sha256Hex(parts.join('\n'));
}

/** @param {string} name */
const kindOf = (name) =>
  /-(rows|flatten|avg|max)\.arrow$/.exec(name)?.[1] ?? (/-\d{5}\.json$/.test(name) ? 'seal' : name.replace(/-.*/, ''));

try {
  const { samples } = await scanDataset(source);
  const step = Math.max(1, Math.floor(samples.length / images));
  for (let i = 0; i < images; i++) {
    const { path } = samples[i * step];
    mkdirSync(dirname(join(String(dataset), path)), { recursive: true });
    copyFileSync(join(source, path), join(String(dataset), path));
  }
  await extract(dataset, { ...options, store: whole });
  await extract(dataset, { ...options, store: whole }); // the times of the files are trusted now
  cpSync(String(whole), String(store), { recursive: true });
  const expected = await content();
  const files = readdirSync(String(whole)).sort();
  const kinds = [...new Set(files.map(kindOf))];
  const generator = random(Number(values.seed));
  /** @type {Map<string, { flips: number, extracted: number }>} */
  const counts = new Map(kinds.map((kind) => [kind, { flips: 0, extracted: 0 }]));
  for (let place = 0; place < places; place++) {
    rmSync(String(store), { recursive: true });
    cpSync(String(whole), String(store), { recursive: true });
    const kind = String(kinds[place % kinds.length]);
    const some = files.filter((name) => kindOf(name) === kind);
    const name = String(some[generator.below(some.length)]);
    const bytes = readFileSync(join(String(store), name));
    const at = generator.below(bytes.length);
    const mask = 1 + generator.below(255);
    bytes[at] = Number(bytes[at]) ^ mask;
    writeFileSync(join(String(store), name), bytes);
    const where = `byte ${at} of ${name}, changed by ${mask}`;
    const { damaged } = await verify(store);
    const named = damaged.map((/** @type {{ name: string }} */ file) => file.name);
    if (named.length !== 1 || named[0] !== name)
      throw new Error(`${where}: verify names ${named.join(', ') || 'nothing'}`);
    const { next, extracted } = await repair(store);
    // Where the list of the data set was in the damaged file, the next extraction brings it back, and extracts nothing.
    const again = next === null ? { extracted: 0 } : await extract(dataset, { ...options, store });
    if (again.extracted > 0) throw new Error(`${where}: ${again.extracted} images extracted that were there`);
    if (!(await verify(store)).ok) throw new Error(`${where}: still damaged after the repair`);
    if ((await content()) !== expected) throw new Error(`${where}: the repaired store holds other things than before`);
    const count = counts.get(kind);
    if (count) [count.flips, count.extracted] = [count.flips + 1, count.extracted + extracted];
  }
  console.log(
    `${images} images, ${files.length} files; ${places} flips: each found, named and repaired, every value as before`,
  );
  for (const [kind, { flips, extracted }] of counts)
    console.log(`  ${kind.padEnd(28)} ${String(flips).padStart(4)} flips, ${extracted} images extracted again`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
