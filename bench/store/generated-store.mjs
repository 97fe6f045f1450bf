// @ts-check
// Stores of any number of rows, written by the real writer: what is in the features does not matter here, only how many there are.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './dist.mjs';

const { CONTRACTS } = await dist('extract/contract.js');
const { random } = await dist('core/random.js');
const { commitDataset, openForWriting, setFor } = await dist('store/store.js');
const { featureWriter } = await dist('store/writer.js');

export const CLASSES = 100;
const BATCH = 4096;

/** @param {string} text */
const sha256Of = (text) => createHash('sha256').update(text).digest('hex');

/** @param {number} i @returns {import('../../src/core/sample.ts').Sample} */
const sampleOf = (i) => {
  const label = `class-${String(i % CLASSES).padStart(3, '0')}`;
  const split = i % 7 === 0 ? 'val' : 'train';
  return { path: `${split}/${label}/picture-${String(i).padStart(8, '0')}.jpg`, label, split };
};

/** @param {number} i @returns {import('../../src/store/shard.ts').StoredSample} */
export function rowOf(i) {
  const sha256 = sha256Of(`content ${i}`);
  return { id: sha256.slice(0, 16), ...sampleOf(i), sha256, width: 500, height: 375, orientation: 1 };
}

/**
 * Writes a store of `count` rows and, beside it, a list of its data set (`samples.csv`).
 * @param {string} folder @param {number} count @param {number} width numbers of a row of the pooling avg
 * @returns {Promise<string>} the store
 */
export async function generatedStore(folder, count, width) {
  const store = join(folder, 'store');
  const manifest = await openForWriting(store, '0.0.0');
  const settings = {
    backbone: 'vgg16',
    weights: sha256Of('weights'),
    cut: 'block5_pool',
    contract: CONTRACTS.vgg16,
    dtype: /** @type {const} */ ('float16'),
    engineClass: 'onnxruntime/cpu/fp32',
  };
  const engine = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0.0.0' };
  const widths = { flatten: 49 * width, avg: width, max: width };
  const set = setFor(manifest, settings, engine, widths);
  const writer = featureWriter({ store, manifest, set, poolings: ['avg'], expectedRows: count });
  const generator = random(1);
  const values = new Float32Array(BATCH * width);
  for (let i = 0; i < values.length; i++) values[i] = generator.uniform();
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    const rows = Array.from({ length }, (_, i) => rowOf(from + i));
    for (let i = 0; i < length; i++) values[i * width] = from + i;
    const features = new Map([
      ['avg', { data: values.subarray(0, length * width), rows: length, cols: width }],
    ]);
    await writer.append({ rows, features: /** @type {any} */ (features) });
  }
  await writer.seal();
  const order = Array.from({ length: count }, (_, i) => i);
  const paths = order.map((i) => sampleOf(i).path);
  order.sort((a, b) => ((paths[a] ?? '') < (paths[b] ?? '') ? -1 : 1));
  const samples = {
    length: count,
    *[Symbol.iterator]() {
      for (const i of order) yield rowOf(i);
    },
  };
  await commitDataset(store, manifest, {
    root: join(folder, 'pictures'),
    sets: [{ set, poolings: ['avg'] }],
    samples,
    failures: [],
  });
  const lines = order.map((i) => {
    const { path, label, split } = sampleOf(i);
    return `pictures/${path},${label},${split}\n`;
  });
  writeFileSync(join(folder, 'samples.csv'), ['path,label,split\n', ...lines].join(''));
  return store;
}
