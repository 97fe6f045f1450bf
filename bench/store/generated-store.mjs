// @ts-check
// Stores of any number of rows, written by the real writer: what is in the features does not matter here, only how many
// there are.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './dist.mjs';

const { CONTRACTS } = await dist('extract/contract.js');
const { random } = await dist('core/random.js');
const { commitDataset, openForWriting, setFor } = await dist('store/write/store.js');
const { featureWriter } = await dist('store/write/writer.js');
const { openFileTimes } = await dist('store/format/file-times.js');

export const CLASSES = 100;
const BATCH = 4096;
/** The first number of row i is i modulo this: float16 has all these integers. */
export const MARKS = 2048;

/** @param {string} text */
const sha256Of = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Settings of a generated set.
 * @param {string} [weights] digest of the weights; none has that of this default
 * @returns {import('../../src/store/format/fingerprint.ts').FeatureSettings}
 */
export const settingsFor = (weights = sha256Of('weights')) => ({
  backbone: 'vgg16',
  weights,
  cut: 'block5_pool',
  contract: CONTRACTS.vgg16,
  dtype: 'float16',
  engineClass: 'onnxruntime/cpu/fp32',
});

/** @param {number} i @returns {import('../../src/core/sample.ts').Sample} */
const sampleOf = (i) => {
  const label = `class-${String(i % CLASSES).padStart(3, '0')}`;
  const split = i % 7 === 0 ? 'val' : 'train';
  return { path: `${split}/${label}/picture-${String(i).padStart(8, '0')}.jpg`, label, split };
};

/** @param {number} i @returns {import('../../src/store/format/shard.ts').StoredSample} */
export function rowOf(i) {
  const sha256 = sha256Of(`content ${i}`);
  return { id: sha256.slice(0, 16), ...sampleOf(i), sha256, width: 500, height: 375, orientation: 1 };
}

/**
 * Size and times of the i-th image file, were it there.
 * @param {number} i @returns {import('../../src/core/files/file-stamp.ts').FileStamp}
 */
export const stampOf = (i) => ({ size: 100n, mtimeNs: 5n, ctimeNs: 6n, ino: BigInt(i) });

/**
 * Writes a store of `count` rows and, beside it, a list of its data set (`samples.csv`).
 * @param {string} folder @param {number} count
 * @param {{ width: number, pooling: 'avg' | 'flatten', weights?: string }} of numbers of a row, and what they are:
 *   float32, or float16 as of a map
 * @returns {Promise<string>} the store
 */
export async function generatedStore(folder, count, { width, pooling, weights }) {
  const store = join(folder, 'store');
  const { manifest } = await openForWriting(store, '0.0.0');
  const engine = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0.0.0' };
  const set = setFor(manifest, {
    settings: settingsFor(weights),
    engine,
    widths: { flatten: width, avg: width, max: width },
  });
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    poolings: [pooling],
    expectedRows: count,
  });
  const generator = random(1);
  const values = new Float32Array(BATCH * width);
  for (let i = 0; i < values.length; i++) values[i] = generator.uniform();
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    const rows = Array.from({ length }, (_, i) => rowOf(from + i));
    for (let i = 0; i < length; i++) values[i * width] = (from + i) % MARKS;
    const features = new Map([[pooling, { data: values.subarray(0, length * width), rows: length, cols: width }]]);
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
  await commitDataset(
    { path: store, manifest },
    {
      root: join(folder, 'pictures'),
      sets: [{ set, poolings: [pooling] }],
      samples,
      failures: [],
    },
  );
  const lines = order.map((i) => {
    const { path, label, split } = sampleOf(i);
    return `pictures/${path},${label},${split}\n`;
  });
  const times = await openFileTimes(store, folder, true);
  for (const i of order) times.note(`pictures/${paths[i]}`, stampOf(i), rowOf(i).sha256, 1e12);
  await times.write();
  writeFileSync(join(folder, 'samples.csv'), ['path,label,split\n', ...lines].join(''));
  return store;
}
