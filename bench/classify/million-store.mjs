// @ts-check
// A store of generated pooled features under the settings of the network that is installed, so that every command takes
// it for its own.
import { createHash } from 'node:crypto';
import { dist } from '../store/dist.mjs';

const { random } = await dist('core/random.js');
const { commitDataset, openForWriting, setFor } = await dist('store/write/store.js');
const { featureWriter } = await dist('store/write/writer.js');
const { makeExtractor } = await dist('workflows/network/extractor.js');

const WIDTH = 512;
const BATCH = 4096;
/** One row in so many is a validation row. */
const VAL_EVERY = 100;

/**
 * `rows` rows of 512 numbers behind a ReLU in `classes` classes; one in a hundred is for validation.
 * @param {string} store @param {number} rows @param {number} classes
 */
export async function makeMillion(store, rows, classes) {
  const extractor = await makeExtractor({
    contract: 'vgg16',
    cuts: [{ cut: 'block5_pool', poolings: ['avg'] }],
    dtype: 'float16',
    engine: 'onnxruntime',
    device: 'cpu',
    precision: 'fp32',
  });
  const [{ settings, widths }] = extractor.sets;
  await extractor.executable.dispose();
  const { manifest } = await openForWriting(store, '0.0.0');
  const engine = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0' };
  const set = setFor(manifest, { settings, engine, widths });
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    poolings: ['avg'],
    expectedRows: rows,
  });
  const numbers = random(1);
  const means = Array.from({ length: classes }, () => Float32Array.from({ length: WIDTH }, () => numbers.normal()));
  const noise = Float32Array.from({ length: 2 ** 20 }, () => numbers.normal());
  const rowOf = (/** @type {number} */ i) => {
    const sha256 = createHash('sha256').update(`content ${i}`).digest('hex');
    const label = `class-${String(i % classes).padStart(3, '0')}`;
    const split = /** @type {'train' | 'val'} */ (i % VAL_EVERY === 0 ? 'val' : 'train');
    const path = `${split}/${label}/picture-${String(i).padStart(8, '0')}.jpg`;
    return { id: sha256.slice(0, 16), path, label, split, sha256, width: 500, height: 375, orientation: 1 };
  };
  const values = new Float32Array(BATCH * WIDTH);
  for (let from = 0; from < rows; from += BATCH) {
    const length = Math.min(BATCH, rows - from);
    for (let i = 0; i < length; i++) {
      const mean = /** @type {Float32Array} */ (means[(from + i) % classes]);
      const at = numbers.below(noise.length - WIDTH);
      for (let j = 0; j < WIDTH; j++)
        values[i * WIDTH + j] = Math.max(0, 0.3 * Number(mean[j]) + Number(noise[at + j]) - 0.5);
    }
    const X = { data: values.subarray(0, length * WIDTH), rows: length, cols: WIDTH };
    const some = Array.from({ length }, (_, i) => rowOf(from + i));
    await writer.append({ rows: some, features: new Map([['avg', X]]) });
  }
  await writer.seal();
  const order = Array.from({ length: rows }, (_, i) => i);
  const paths = order.map((i) => rowOf(i).path);
  order.sort((a, b) => (String(paths[a]) < String(paths[b]) ? -1 : 1));
  const samples = {
    length: rows,
    *[Symbol.iterator]() {
      for (const i of order) yield rowOf(i);
    },
  };
  const sets = [{ set, poolings: ['avg'] }];
  await commitDataset({ path: store, manifest }, { root: '/generated', sets, samples, failures: [] });
}
