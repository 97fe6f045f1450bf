// @ts-check
import { readFileSync } from 'node:fs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/index.ts')} */
const { applyNormalizer, createHead, fitNormalizer, matrix, matrixRows, metrics, openStore, row } = await import(
  dist('index.js')
);
/** @type {typeof import('../../src/core/safetensors.ts')} */
const { readSafetensors } = await import(dist('core/safetensors.js'));
/** @type {typeof import('../../src/core/matrix.ts')} */
const { cosine } = await import(dist('core/matrix.js'));

/**
 * Features of every image by its path in the data set: flattened maps of block5_pool.
 * @typedef {{ width: number, rows: Map<string, Float32Array> }} Features
 */

/** @typedef {Map<string, { label: string, split: string }>} Places of which class and split an image is, by its path */

/**
 * @typedef {object} Quality
 * @property {number} images images that were compared
 * @property {number} minCosine to Keras' features, whole flattened maps; the least of all images
 * @property {number} meanCosine
 * @property {number} accuracy of a logistic head (C = 10, avg-pooled, l2) on the validation images
 * @property {number} hits validation images that it classes rightly
 * @property {number} validated
 */

/**
 * @param {string} file what a peer saved
 * @returns {Features}
 */
export function peerFeatures(file) {
  const { metadata, tensors } = readSafetensors(readFileSync(file), { name: file, code: 'STORE_CORRUPT' });
  const paths = /** @type {string[]} */ (JSON.parse(metadata['paths'] ?? '[]'));
  const tensor = tensors.get('features');
  if (tensor?.dtype !== 'F32' || tensor.shape[0] !== paths.length) throw new Error(`${file}: not the peer's.`);
  const width = tensor.data.length / paths.length;
  const all = { data: /** @type {Float32Array} */ (tensor.data), rows: paths.length, cols: width };
  return { width, rows: new Map(paths.map((path, i) => [path, row(all, i)])) };
}

/**
 * @param {string} store
 * @returns {Promise<Features & { places: Places }>}
 */
export async function storeFeatures(store) {
  /** @type {Places} */
  const places = new Map();
  const rows = new Map();
  const opened = await openStore(store);
  const { matrix: X } = await opened.rows({ parts: 'flatten', memory: 'matrix' });
  for (const { path, label, split } of await opened.samples()) {
    rows.set(path, row(X, rows.size));
    places.set(path, { label, split });
  }
  return { width: X.cols, rows, places };
}

/**
 * Accuracy of the head that all sides share, on features that are pooled here, by one code, whoever made them.
 * @param {Features} features
 * @param {Places} places
 */
async function headAccuracy({ width, rows }, places) {
  const channels = 512;
  /** @param {string} split */
  function part(split) {
    const found = [...rows].filter(([path]) => places.get(path)?.split === split);
    const X = matrix(found.length, channels);
    for (const [i, [, flat]] of found.entries()) {
      const pooled = row(X, i);
      for (let k = 0; k < width; k++)
        pooled[k % channels] = Number(pooled[k % channels]) + Number(flat[k]) / (width / channels);
    }
    return { X, labels: found.map(([path]) => String(places.get(path)?.label)) };
  }
  const [train, val] = [part('train'), part('val')];
  const l2 = await fitNormalizer('l2', matrixRows(train.X));
  const head = await createHead('logistic', { C: 10 }).fit(matrixRows(applyNormalizer(l2, train.X)), train.labels);
  const guess = metrics.topClass(await head.predictProba(applyNormalizer(l2, val.X)));
  const hits = val.labels.filter((label, i) => head.classes[Number(guess[i])] === label).length;
  return { hits, validated: val.labels.length, accuracy: hits / val.labels.length };
}

/**
 * Compares features with Keras', whole vector by whole vector, and trains the head on them. Throws where an image of
 * Keras' is missing.
 * @param {Features} found
 * @param {Features} keras
 * @param {Places} places
 * @returns {Promise<Quality>}
 */
export async function judge(found, keras, places) {
  if (found.width !== keras.width) throw new Error(`Widths differ: ${found.width}, ${keras.width} in Keras.`);
  const missing = [...keras.rows.keys()].filter((path) => !found.rows.has(path));
  if (missing.length > 0) throw new Error(`Not extracted: ${missing.slice(0, 5).join(', ')}.`);
  const cosines = [...keras.rows].map(([path, vector]) =>
    cosine(/** @type {Float32Array} */ (found.rows.get(path)), vector),
  );
  // Formats that Keras' flow_from_directory does not list (GIF, WebP ...) would give other heads.
  const shared = {
    width: found.width,
    rows: new Map([...found.rows].filter(([path]) => keras.rows.has(path))),
  };
  return {
    images: cosines.length,
    minCosine: cosines.reduce((a, b) => Math.min(a, b), Infinity),
    meanCosine: cosines.reduce((a, b) => a + b, 0) / cosines.length,
    ...(await headAccuracy(shared, places)),
  };
}
