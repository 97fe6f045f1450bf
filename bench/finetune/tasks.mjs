// @ts-check
/**
 * @typedef {object} Task layers of VGG16 that are trained, with a dense layer on their average
 * @property {string} name
 * @property {number} firstBlock
 * @property {number} side of the input, height and width
 * @property {number} channels
 * @property {number} batch images of a run of permafrost
 * @property {number} step images of a step, in permafrost and its peers: a step of more runs than one adds gradients up
 * @property {number} images of an epoch
 */

/**
 * The peers take a whole step at once. All of VGG16 takes permafrost and Keras 2 GB where a run of the one has 4 images
 * and of the other 16.
 * @type {readonly Task[]}
 */
export const TASKS = [
  { name: 'block5', firstBlock: 5, side: 14, channels: 512, batch: 32, step: 32, images: 128 },
  { name: 'block4+5', firstBlock: 4, side: 28, channels: 256, batch: 16, step: 16, images: 64 },
  { name: 'whole', firstBlock: 1, side: 224, channels: 3, batch: 4, step: 16, images: 16 },
];

/** Convolutions of VGG16 by block: how many, and their filters. */
const BLOCKS = [
  [2, 64],
  [2, 128],
  [3, 256],
  [3, 512],
  [3, 512],
];

/**
 * The multiplications and additions of a step of direct convolutions, in GFLOP: forward, by the weights, and, but for
 * the first layer, by the input.
 * @param {Task} task
 */
export function directGflop({ firstBlock, side, channels, step }) {
  let [flop, inputs, across, passes] = [0, channels, side, 2];
  for (const [convs = 0, filters = 0] of BLOCKS.slice(firstBlock - 1)) {
    for (let i = 0; i < convs; i++) {
      flop += 2 * passes * across * across * 9 * inputs * filters;
      [inputs, passes] = [filters, 3];
    }
    across /= 2;
  }
  return (flop * step) / 1e9;
}

/**
 * Inputs as activations are, half of them zero, from a generator of numbers that repeats itself: shape (images, side,
 * side, channels).
 * @param {Task} task
 */
export function inputsOf({ images, side, channels }) {
  let seed = 7;
  return Float32Array.from({ length: images * side * side * channels }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return Math.max(0, seed / 2 ** 31 - 0.5) * 20;
  });
}

/**
 * Weights of the dense layer, (512, 2), by a formula that the peers have too.
 * @param {number} length
 */
export const denseKernel = (length) =>
  Float32Array.from({ length }, (_, i) => (((i * 7919) % 1009) / 1009 - 0.5) * 0.1);
