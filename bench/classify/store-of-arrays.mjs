// @ts-check
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
/** @type {typeof import('../../src/store/write/store.ts')} */
const { commitDataset, openForWriting, setFor } = await built('store/write/store.js');
/** @type {typeof import('../../src/store/write/writer.ts')} */
const { featureWriter } = await built('store/write/writer.js');
/** @type {typeof import('../../src/store/write/shard-rows.ts')} */
const { DEFAULT_SHARD_BYTES } = await built('store/write/shard-rows.js');
/** @type {typeof import('../../src/extract/contract.ts')} */
const { CONTRACTS } = await built('extract/contract.js');
/** @type {typeof import('../../src/classify/evaluate/split.ts')} */
const { stratifiedKFold } = await built('classify/evaluate/split.js');

/** @param {string} text */
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Makes a store of the arrays NAME of make_data.py, as if they were the features of images, and folds.json beside them:
 * for each training row the fold that a sweep with its defaults holds it out in.
 * @param {string} store
 * @param {string} folder
 * @param {string} name
 * @param {number} columns
 */
export async function storeOfArrays(store, folder, name, columns) {
  mkdirSync(store, { recursive: true });
  const rows = [];
  const parts = [];
  for (const [split, suffix] of /** @type {const} */ ([
    ['train', ''],
    ['val', 'val'],
  ])) {
    const y = readFileSync(join(folder, `${name}.y${suffix}.bin`));
    parts.push(readFileSync(join(folder, `${name}.X${suffix}.bin`)));
    for (let i = 0; i < y.length / 4; i++) {
      const path = `${split}/${String(i).padStart(6, '0')}.jpg`;
      const digest = sha256(path);
      const label = `class-${y.readInt32LE(4 * i)}`;
      rows.push({
        id: digest.slice(0, 16),
        path,
        label,
        split,
        sha256: digest,
        width: 1,
        height: 1,
        orientation: 1,
      });
    }
  }
  const bytes = Buffer.concat(parts);
  const X = {
    data: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    rows: rows.length,
    cols: columns,
  };
  const { manifest } = await openForWriting(store, '0.0.0');
  const settings = {
    backbone: 'generated',
    weights: sha256('no weights'),
    cut: 'block5_pool',
    contract: CONTRACTS.vgg16,
    dtype: /** @type {const} */ ('float32'),
    engineClass: 'onnxruntime/cpu/fp32',
  };
  const engine = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0' };
  const set = setFor(manifest, { settings, engine, widths: { flatten: columns, avg: columns, max: columns } });
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    expectedRows: rows.length,
    shardBytes: DEFAULT_SHARD_BYTES,
  });
  await writer.append({
    rows,
    features: new Map([
      ['flatten', X],
      ['avg', X],
      ['max', X],
    ]),
  });
  await writer.seal();
  const sets = [{ set, poolings: /** @type {const} */ (['flatten', 'avg', 'max']) }];
  await commitDataset({ path: store, manifest }, { root: folder, sets, samples: rows, failures: [] });

  const train = rows.filter(({ split }) => split === 'train');
  const folds = stratifiedKFold(
    train.map(({ label }) => label),
    { keys: train.map(({ path }) => path), nSplits: 5, seed: 1 },
  );
  const foldOf = new Array(train.length).fill(0);
  folds.forEach(({ val }, fold) => val.forEach((i) => (foldOf[i] = fold)));
  writeFileSync(join(folder, 'folds.json'), JSON.stringify(foldOf));
}
