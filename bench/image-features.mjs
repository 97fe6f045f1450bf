// @ts-check
import { readFileSync } from 'node:fs';

const dist = (/** @type {string} */ file) => new URL(`../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../src/index.ts')} */
const { applyNormalizer, createHead, fitNormalizer, matrix, matrixRows, metrics, openStore, row } = await import(
  dist('index.js')
);
/** @type {typeof import('../src/core/safetensors.ts')} */
const { readSafetensors } = await import(dist('core/safetensors.js'));
/** @type {typeof import('../src/core/matrix.ts')} */
const { cosine } = await import(dist('core/matrix.js'));

/** @typedef {ReadonlyMap<string, Float32Array>} Features features of each image, by its path in the data set */
/** @typedef {Map<string, { label: string, split: string }>} Places of which class and split an image is, by its path */

/**
 * @param {string} file what a peer saved
 * @returns {Features}
 */
export function peerFeatures(file) {
  const { metadata, tensors } = readSafetensors(readFileSync(file), { name: file, code: 'STORE_CORRUPT' });
  const paths = /** @type {string[]} */ (JSON.parse(metadata['paths'] ?? '[]'));
  const tensor = tensors.get('features');
  if (tensor?.dtype !== 'F32' || tensor.shape[0] !== paths.length) throw new Error(`${file}: not the peer's.`);
  const data = /** @type {Float32Array} */ (tensor.data);
  const all = { data, rows: paths.length, cols: data.length / paths.length };
  return new Map(paths.map((path, i) => [path, row(all, i)]));
}

/**
 * @param {string} store
 * @param {'avg' | 'cls' | 'flatten'} pooling
 * @returns {Promise<{ features: Features, places: Places }>}
 */
export async function storeFeatures(store, pooling) {
  /** @type {Places} */
  const places = new Map();
  /** @type {Map<string, Float32Array>} */
  const features = new Map();
  const opened = await openStore(store);
  const { matrix: X } = await opened.rows({ parts: pooling, memory: 'matrix' });
  for (const { path, label, split } of await opened.samples()) {
    features.set(path, row(X, features.size));
    places.set(path, { label, split });
  }
  return { features, places };
}

/**
 * Validation images that a logistic head (C = 10, l2) classes rightly, trained on the training images.
 * @param {Features} features
 * @param {Places} places
 */
export async function headHits(features, places) {
  /** @param {string} split */
  function part(split) {
    const found = [...features].filter(([path]) => places.get(path)?.split === split);
    const X = matrix(found.length, found[0]?.[1].length ?? 0);
    for (const [i, [, values]] of found.entries()) row(X, i).set(values);
    return { X, labels: found.map(([path]) => String(places.get(path)?.label)) };
  }
  const [train, val] = [part('train'), part('val')];
  const l2 = await fitNormalizer('l2', matrixRows(train.X));
  const head = await createHead('logistic', { C: 10 }).fit(matrixRows(applyNormalizer(l2, train.X)), train.labels);
  const guess = metrics.topClass(await head.predictProba(applyNormalizer(l2, val.X)));
  const hits = val.labels.filter((label, i) => head.classes[Number(guess[i])] === label).length;
  return { hits, validated: val.labels.length };
}

/**
 * The least and the mean cosine of features to those of a peer, over all images of the peer. Throws where one is
 * missing.
 * @param {Features} found
 * @param {Features} peer
 */
export function cosines(found, peer) {
  const all = [...peer].map(([path, values]) => {
    const own = found.get(path);
    if (own?.length !== values.length)
      throw new Error(`${path}: ${own?.length ?? 'no'} numbers, the peer has ${values.length}.`);
    return cosine(own, values);
  });
  return { least: Math.min(...all), mean: all.reduce((a, b) => a + b, 0) / all.length };
}
