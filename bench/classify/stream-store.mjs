// @ts-check
// A store of generated features, with the structure of real ones.
import { createHash } from 'node:crypto';
import { random } from '../../dist/core/random.js';
import { vgg16 } from '../../dist/extract/backbones/vgg.js';
import { CONTRACTS } from '../../dist/extract/contract.js';
import { commitDataset, openForWriting, setFor } from '../../dist/store/write/store.js';
import { featureWriter } from '../../dist/store/write/writer.js';

const WIDTH = 25088;
const CLASSES = 10;
const FACTORS = 8;
const WRONG = 0.05;
/**
 * Noise is cut from a tape at a place of its own for each row: a fresh normal number for each value would take minutes.
 */
const TAPE = 2 ** 22;

/**
 * @param {string} store
 * @param {number} rows
 * @param {number} val
 */
export async function makeStore(store, rows, val) {
  const source = random(1);
  const normals = (/** @type {number} */ n) => Float32Array.from({ length: n }, () => source.normal());
  const tape = normals(TAPE);
  const factors = Array.from({ length: FACTORS }, () => normals(WIDTH));
  const means = Array.from({ length: CLASSES }, () => normals(WIDTH));
  const settings = {
    backbone: vgg16.name,
    weights: '0'.repeat(64),
    cut: 'block5_pool',
    contract: CONTRACTS.vgg16,
    dtype: /** @type {const} */ ('float16'),
    engineClass: 'generated',
  };
  const { manifest } = await openForWriting(store, '0.0.0');
  const engine = { name: 'generated', device: 'cpu', precision: 'fp32', version: '0' };
  const set = setFor(manifest, { settings, engine, widths: { flatten: WIDTH, avg: 512, max: 512 } });
  const writer = featureWriter({ store: { path: store, manifest }, set, expectedRows: rows + val });
  const samples = [];
  const pooled = { data: new Float32Array(512), rows: 1, cols: 512 };
  const flatten = new Float32Array(WIDTH);
  for (let i = 0; i < rows + val; i++) {
    const c = source.below(CLASSES);
    fill(flatten, /** @type {Float32Array} */ (means[c]), factors, source, tape);
    const told = source.uniform() < WRONG ? source.below(CLASSES) : c;
    const sample = {
      path: `${String(i).padStart(6, '0')}.jpg`,
      label: `class ${told}`,
      split: /** @type {'train' | 'val'} */ (i < rows ? 'train' : 'val'),
      sha256: createHash('sha256').update(String(i)).digest('hex'),
      width: 224,
      height: 224,
      orientation: 1,
    };
    samples.push({ ...sample, id: sample.sha256.slice(0, 16) });
    await writer.append({
      rows: [sample],
      features: new Map([
        ['flatten', { data: flatten, rows: 1, cols: WIDTH }],
        ['avg', pooled],
        ['max', pooled],
      ]),
    });
  }
  await writer.seal();
  const sets = [{ set, poolings: /** @type {const} */ (['flatten', 'avg', 'max']) }];
  await commitDataset({ path: store, manifest }, { root: '/generated', sets, samples, failures: [] });
}

/**
 * max(0, class mean + factors + noise - 0.5): some two thirds of the values are zero, and the class explains little of
 * a value.
 *
 * @param {Float32Array} out
 * @param {Float32Array} mean
 * @param {readonly Float32Array[]} factors
 * @param {import('../../dist/core/random.js').Random} source
 * @param {Float32Array} tape
 */
function fill(out, mean, factors, source, tape) {
  const from = source.below(TAPE - WIDTH);
  out.set(tape.subarray(from, from + WIDTH));
  add(out, 0.05, mean);
  for (const factor of factors) add(out, 0.3 * source.normal(), factor);
  for (const [j, value] of out.entries()) out[j] = Math.max(0, value - 0.5);
}

/**
 * @param {Float32Array} out
 * @param {number} weight
 * @param {Float32Array} factor
 */
function add(out, weight, factor) {
  factor.forEach((value, j) => (out[j] = /** @type {number} */ (out[j]) + weight * value));
}
