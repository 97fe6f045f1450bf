// @ts-check
import sharp from 'sharp';

/** @import { Sharp } from 'sharp' */

/**
 * What is done to the upright pixels of a picture of that width and height.
 * @typedef {(image: Sharp, width: number, height: number) => Sharp} Change
 */

/**
 * A share of both sides is cut off, at both ends alike unless told.
 * @type {(share: number, x?: number, y?: number) => Change}
 */
const crop =
  (share, x = 0.5, y = 0.5) =>
  (image, width, height) => {
    const [w, h] = [Math.round(width * (1 - share)), Math.round(height * (1 - share))];
    return image.extract({ left: Math.round((width - w) * x), top: Math.round((height - h) * y), width: w, height: h });
  };

/** @type {(text: string, x: string, size: number) => Change} */
const written = (text, x, size) => (image, width, height) =>
  image.composite([
    {
      input: Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><text x="${x}" y="92%" text-anchor="middle" font-family="sans-serif" font-size="${Math.round(height * size)}" fill="white" fill-opacity="0.7">${text}</text></svg>`,
      ),
    },
  ]);

/** @type {Change} */
const same = (image) => image;
/** @type {(colour: string) => Change} */
const border = (colour) => (image, width, height) => {
  const [x, y] = [Math.round(width * 0.05), Math.round(height * 0.05)];
  return image.extend({ top: y, bottom: y, left: x, right: x, background: colour });
};

/**
 * Kinds of copies: what is changed, and how the file is written (JPEG quality 90 unless told).
 * @type {Record<string, { change: Change, write?: (image: Sharp) => Sharp, suffix?: string }>}
 */
export const COPY_KINDS = {
  jpeg50: { change: same, write: (image) => image.jpeg({ quality: 50 }) },
  jpeg15: { change: same, write: (image) => image.jpeg({ quality: 15 }) },
  png: { change: same, write: (image) => image.png(), suffix: 'png' },
  webp: { change: same, write: (image) => image.webp({ quality: 80 }), suffix: 'webp' },
  'half size': { change: (image, width) => image.resize({ width: Math.round(width / 2) }) },
  'quarter size': { change: (image, width) => image.resize({ width: Math.round(width / 4) }) },
  'bright 1.3': { change: (image) => image.linear(1.3, 0) },
  'dark 0.6': { change: (image) => image.linear(0.6, 0) },
  'contrast 1.4': { change: (image) => image.linear(1.4, -51) },
  grey: { change: (image) => image.greyscale() },
  mirror: { change: (image) => image.flop() },
  'mirror + jpeg50': { change: (image) => image.flop(), write: (image) => image.jpeg({ quality: 50 }) },
  'crop 5 %': { change: crop(0.05) },
  'crop 10 %': { change: crop(0.1) },
  'crop 20 %': { change: crop(0.2) },
  'corner 10 %': { change: crop(0.1, 0, 1) },
  'corner 20 %': { change: crop(0.2, 1, 0) },
  'black border 5 %': { change: border('#000000') },
  'white border 5 %': { change: border('#ffffff') },
  'rotation 3': { change: (image) => image.rotate(3, { background: '#000000' }) },
  watermark: { change: written('© example.org', '50%', 0.12) },
  text: { change: written('2014', '85%', 0.08) },
  blur: { change: (image) => image.blur(2) },
};

/**
 * A copy of one kind of a picture, as the bytes of a file.
 * @param {string} kind
 * @param {string} path
 */
export async function copyOf(kind, path) {
  const { change, write = (/** @type {Sharp} */ image) => image.jpeg({ quality: 90 }) } =
    /** @type {(typeof COPY_KINDS)[string]} */ (COPY_KINDS[kind]);
  const { data, info } = await sharp(path)
    .rotate()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const changed = await change(sharp(data, { raw: { width, height, channels } }), width, height)
    .png()
    .toBuffer();
  return write(sharp(changed)).toBuffer();
}
