// @ts-check
import { cosines, headHits } from '../image-features.mjs';

/** @typedef {import('../image-features.mjs').Features} Features here flattened maps of block5_pool */
/** @typedef {import('../image-features.mjs').Places} Places */

/**
 * @typedef {object} Quality
 * @property {number} images images that were compared
 * @property {number} minCosine to Keras' features, whole flattened maps; the least of all images
 * @property {number} meanCosine
 * @property {number} accuracy of a logistic head (C = 10, avg-pooled, l2) on the validation images
 * @property {number} hits validation images that it classes rightly
 * @property {number} validated
 */

/** Channels of block5_pool. */
const CHANNELS = 512;

/**
 * The mean of each channel, by one code, whoever made the map.
 * @param {Float32Array} flat
 */
function pooled(flat) {
  const means = new Float32Array(CHANNELS);
  const part = flat.length / CHANNELS;
  for (const [k, value] of flat.entries()) means[k % CHANNELS] = Number(means[k % CHANNELS]) + value / part;
  return means;
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
  const { least, mean } = cosines(found, keras);
  // Formats that Keras' flow_from_directory does not list (GIF, WebP ...) would give other heads.
  const shared = [...found].filter(([path]) => keras.has(path));
  const { hits, validated } = await headHits(new Map(shared.map(([path, flat]) => [path, pooled(flat)])), places);
  return { images: keras.size, minCosine: least, meanCosine: mean, accuracy: hits / validated, hits, validated };
}
