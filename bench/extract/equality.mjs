// @ts-check
import { readFileSync } from 'node:fs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/index.ts')} */
const { loadFeatures, readManifest, row } = await import(dist('index.js'));
/** @type {typeof import('../../src/core/safetensors.ts')} */
const { readSafetensors } = await import(dist('core/safetensors.js'));

/**
 * @typedef {object} Equality
 * @property {number} images images that both extracted
 * @property {string[]} onlyPermafrost images of formats that Keras' flow_from_directory does not list (GIF, WebP ...)
 * @property {number} minCosine
 * @property {number} meanCosine
 * @property {number} maxDifference largest difference of two values, as part of the largest value
 */

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function compareRows(a, b) {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  let apart = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const x = /** @type {number} */ (a[i]);
    const y = /** @type {number} */ (b[i]);
    ab += x * y;
    aa += x * x;
    bb += y * y;
    apart = Math.max(apart, Math.abs(x - y));
    largest = Math.max(largest, Math.abs(y));
  }
  return { cosine: ab / Math.sqrt(aa * bb), apart, largest };
}

/**
 * Compares the flattened block5_pool features in a store with those that the peer saved, whole vector by whole vector.
 * @param {string} store
 * @param {string} kerasFile
 * @returns {Promise<Equality>}
 */
export async function compareFeatures(store, kerasFile) {
  const { metadata, tensors } = readSafetensors(readFileSync(kerasFile), {
    name: kerasFile,
    code: 'STORE_CORRUPT',
  });
  const paths = /** @type {string[]} */ (JSON.parse(metadata['paths'] ?? '[]'));
  const tensor = tensors.get('features');
  if (tensor?.dtype !== 'F32' || tensor.shape[0] !== paths.length)
    throw new Error(`${kerasFile}: not the peer's.`);
  const width = tensor.data.length / paths.length;
  const places = new Map(paths.map((path, i) => [path, i]));

  const onlyPermafrost = [];
  const cosines = [];
  let apart = 0;
  let largest = 0;
  const loaded = await loadFeatures(store, await readManifest(store), 'flatten', ['train', 'val', 'test']);
  for (const { X, samples } of loaded.values()) {
    if (samples.length > 0 && X.cols !== width)
      throw new Error(`Widths differ: ${X.cols} here, ${width} in Keras.`);
    for (const [i, { path }] of samples.entries()) {
      const place = places.get(path);
      if (place === undefined) {
        onlyPermafrost.push(path);
        continue;
      }
      places.delete(path);
      const found = compareRows(row(X, i), tensor.data.subarray(place * width, (place + 1) * width));
      cosines.push(found.cosine);
      apart = Math.max(apart, found.apart);
      largest = Math.max(largest, found.largest);
    }
  }
  if (places.size > 0) throw new Error(`Not in the store: ${[...places.keys()].slice(0, 5).join(', ')}.`);
  return {
    images: cosines.length,
    onlyPermafrost,
    minCosine: cosines.reduce((a, b) => Math.min(a, b), Infinity),
    meanCosine: cosines.reduce((a, b) => a + b, 0) / cosines.length,
    maxDifference: apart / largest,
  };
}
