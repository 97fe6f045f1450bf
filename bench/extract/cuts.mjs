// @ts-check
// What do several cuts cost in one pass against the deepest alone, what does one cost that is added later, and how good
// is a head at which depth?
//   npm run build && node bench/extract/cuts.mjs DATASET [--rounds 3] [--images 48] [--engine onnxruntime] [--precision
//     fp32] [--no-accuracy]
// DATASET: photographs with train/ and val/. The bundled emoji are the other domain. Each measured extraction is a
// process of its own, in alternating order; its processor time is what a busy machine disturbs least. Writes
// bench/results/cuts-<time>.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
/** @type {typeof import('../../src/index.ts')} */
const { extract, openStore, scanDataset, train } = await import(new URL('../../dist/index.js', import.meta.url).href);

const DEEPEST = 'block5_pool:avg+max';
const SEVERAL = 'block3_pool:avg+max,block4_pool:avg+max,block5_pool:avg+max';
/**
 * Largest difference over largest value between a cut alone and beside others. float32: none was ever seen. The others:
 * half a unit in the last place of bf16 and of 8 bits, since a runtime may round an activation elsewhere where it has a
 * second reader.
 * @type {Readonly<Record<string, number>>}
 */
const TOLERANCE = { fp32: 1e-6, bf16: 2 ** -9, int8: 2 ** -9 };
const DEPTHS = ['block1_pool', 'block2_pool', 'block3_pool', 'block4_pool', 'block5_pool'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    rounds: { type: 'string', default: '3' },
    images: { type: 'string', default: '48' },
    engine: { type: 'string', default: 'onnxruntime' },
    precision: { type: 'string', default: 'fp32' },
    accuracy: { type: 'boolean', default: true },
    // What a measuring process is told: the cut and the store.
    cut: { type: 'string' },
    store: { type: 'string' },
  },
});
const [given] = positionals;
if (given === undefined) throw new Error('Usage: node bench/extract/cuts.mjs DATASET [--rounds 3] [--images 48]');
/** @type {any} -- checked by the option tables */
const engine = { engine: values.engine, precision: values.precision };

if (values.cut !== undefined && values.store !== undefined) {
  const cpu = process.cpuUsage();
  const { extracted, trace } = await extract(given, { ...engine, cut: values.cut, store: values.store });
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ extracted, cpuSeconds: (user + system) / 1e6, ...trace }));
  process.exit(0);
}

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-cuts-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
let stores = 0;

/**
 * One extraction in a process of its own.
 * @param {string} list @param {string} cut @param {string} [store] a new one by default
 * @returns {{ store: string, msPerImage: number, cpuMsPerImage: number }}
 */
function measured(list, cut, store = join(scratch, `${stores++}.permafrost`)) {
  const flags = ['--engine', values.engine, '--precision', values.precision, '--cut', cut, '--store', store];
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), list, ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`The extraction at ${cut} ended with ${child.status}.`);
  const { extracted, cpuSeconds, infer, wait, write } = JSON.parse(child.stdout);
  return {
    store,
    msPerImage: (1000 * (infer + wait + write)) / extracted,
    cpuMsPerImage: (1000 * cpuSeconds) / extracted,
  };
}

/** @param {string} store @param {import('../../src/index.ts').Pooling} pooling */
async function primary(store, pooling) {
  const { matrix } = await (await openStore(store)).rows({ parts: pooling, memory: 'matrix' });
  return [...matrix.data];
}

/** @param {string} one @param {string} other */
async function checkEqual(one, other) {
  for (const pooling of /** @type {const} */ (['avg', 'max'])) {
    const [a, b] = [await primary(one, pooling), await primary(other, pooling)];
    const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(b[i]))), 0);
    if (!(apart / largest <= Number(TOLERANCE[values.precision])))
      throw new Error(`Not equal, so not timed: ${pooling} of block5_pool differs by ${apart / largest}.`);
    console.error(
      `block5_pool ${pooling} alone and beside others: at most ${apart / largest} of the largest value apart`,
    );
  }
}

const dataset = resolve(given);
const { samples } = await scanDataset(dataset);
const some = samples.filter((_, i) => i % Math.ceil(samples.length / Number(values.images)) === 0);
const list = join(scratch, 'some.jsonl');
writeFileSync(
  list,
  some.map(({ path, label, split }) => `${JSON.stringify({ path: join(dataset, path), label, split })}\n`).join(''),
);

// One round to warm the caches of compiled networks and of files, and to compare the results.
await checkEqual(measured(list, DEEPEST).store, measured(list, SEVERAL).store);
/** @type {Record<string, { ms: number[], cpuMs: number[] }>} */
const cost = { [DEEPEST]: { ms: [], cpuMs: [] }, [SEVERAL]: { ms: [], cpuMs: [] } };
for (let round = 0; round < Number(values.rounds); round++) {
  for (const cut of round % 2 === 0 ? [DEEPEST, SEVERAL] : [SEVERAL, DEEPEST]) {
    const { msPerImage, cpuMsPerImage } = measured(list, cut);
    cost[cut]?.ms.push(msPerImage);
    cost[cut]?.cpuMs.push(cpuMsPerImage);
    console.error(
      `round ${round + 1}  ${cut}: ${msPerImage.toFixed(1)} ms, ${cpuMsPerImage.toFixed(1)} ms of processor time an image`,
    );
  }
}
/** @param {'ms' | 'cpuMs'} figure */
const ratio = (figure) => median(cost[SEVERAL]?.[figure] ?? []) / median(cost[DEEPEST]?.[figure] ?? []);
const ratios = { time: ratio('ms'), processorTime: ratio('cpuMs') };
console.log(
  `${values.engine} ${values.precision}, ${some.length} images, median of ${values.rounds} rounds: ${SEVERAL} costs ${ratios.processorTime.toFixed(3)} times the processor time and ${ratios.time.toFixed(3)} times the time of ${DEEPEST}`,
);

// A shallow cut that is added to a store of the deepest: no deeper network than its own runs.
const SHALLOW = 'block2_pool:avg';
const { store: grown } = measured(list, DEEPEST);
const added = measured(list, `${SHALLOW},${DEEPEST}`, grown);
const alone = measured(list, SHALLOW);
console.log(
  `${SHALLOW} added to a store of ${DEEPEST}: ${added.cpuMsPerImage.toFixed(1)} ms of processor time an image; extracted alone: ${alone.cpuMsPerImage.toFixed(1)} ms; ${DEEPEST}: ${median(cost[DEEPEST]?.cpuMs ?? []).toFixed(1)} ms`,
);

/**
 * The accuracy of one head at each depth, and on all depths side by side, from one pass.
 * @param {string} domain @param {string} where
 */
async function byDepth(domain, where) {
  const store = join(scratch, `${domain}.permafrost`);
  await extract(where, { ...engine, store, cut: DEPTHS.map((cut) => `${cut}:avg`).join(',') });
  const rows = [];
  for (const cut of [...DEPTHS, 'block4_pool,block5_pool', DEPTHS.join(',')]) {
    const { accuracy, interval, validated } = await train(store, { head: 'logistic', cut }, { C: 10 });
    rows.push({ domain, cut, accuracy, interval, validated });
  }
  return rows;
}

const depths = [];
if (values.accuracy) {
  const { renderBundledDataset } = await import(
    new URL('../../dist/workflows/network/bundled-dataset.js', import.meta.url).href
  );
  const emoji = await renderBundledDataset(join(root, 'permafrost-demo/emoji'));
  depths.push(...(await byDepth('photographs', dataset)), ...(await byDepth('emoji', emoji.root)));
  console.log('\nlogistic C=10 on avg, l2; validated accuracy and its 95 % interval');
  for (const { domain, cut, accuracy, interval, validated } of depths) {
    const [low, high] = interval.map((value) => value.toFixed(3));
    const name = cut === DEPTHS.join(',') ? 'all five side by side' : cut;
    console.log(`${domain.padEnd(12)} ${name.padEnd(24)} ${accuracy.toFixed(3)}  ${low} .. ${high}  of ${validated}`);
  }
}

const report = {
  question: 'What do several cuts cost in one pass against the deepest alone, and how good is a head at which depth?',
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), loadAverageAtEnd: loadavg() },
  engine,
  images: some.length,
  cost,
  ratios,
  added: {
    cut: SHALLOW,
    to: DEEPEST,
    msPerImage: added.msPerImage,
    cpuMsPerImage: added.cpuMsPerImage,
    alone,
  },
  depths,
};
mkdirSync(join(root, 'bench/results'), { recursive: true });
const file = join(root, `bench/results/cuts-${report.date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
console.log(file);
