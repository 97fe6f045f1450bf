// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { dist } from '../store/dist.mjs';

const [WIDTH, HEIGHT] = [120, 90];

/** A picture of stripes in two colours, across or down. @param {boolean} isAcross @param {any} generator */
function stripes(isAcross, generator) {
  const period = 6 + generator.below(14);
  const colours = [0, 1].map(() => [generator.below(256), generator.below(256), generator.below(256)]);
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++)
      pixels.set(/** @type {number[]} */ (colours[Math.floor((isAcross ? y : x) / period) % 2]), 3 * (y * WIDTH + x));
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).png();
}

/**
 * Writes 26 pictures of two classes and two lists of them: `a` has all, `b` two thirds, of which some have another
 * label. So the one needs rows that the other lets `gc` remove.
 * @param {string} folder
 * The lists, and a picture of both.
 * @returns {Promise<{ readonly a: string; readonly b: string; readonly image: string }>}
 */
export async function twoLists(folder) {
  const { random } = await dist('core/random.js');
  const generator = random(1);
  /** @type {[path: string, label: string, split: string][]} */
  const images = [];
  for (const [split, count] of /** @type {const} */ ([
    ['train', 9],
    ['val', 4],
  ])) {
    for (const label of ['across', 'down']) {
      mkdirSync(join(folder, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const path = `${label}/${split}-${i}.png`;
        await stripes(label === 'across', generator).toFile(join(folder, path));
        images.push([path, label, split]);
      }
    }
  }
  /** @param {string} name @param {readonly (readonly string[])[]} rows */
  const list = (name, rows) => {
    const file = join(folder, name);
    writeFileSync(file, ['path,label,split', ...rows.map((row) => row.join())].join('\n'));
    return file;
  };
  return {
    a: list('a.csv', images),
    b: list(
      'b.csv',
      images.filter((_, i) => i % 3 !== 1).map(([path, label, split], i) => [path, i === 0 ? 'down' : label, split]),
    ),
    image: join(folder, /** @type {string} */ (images[0]?.[0])),
  };
}

/** How lists are extracted: pooled features of a shallow cut, each image by itself, so that the bytes are the same. */
export const EXTRACT = /** @type {const} */ ({ cut: 'block1_pool:avg+max', engine: 'onnxruntime', batch: 1 });
