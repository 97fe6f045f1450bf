// @ts-check
/*
 * What viewers show of pictures in four inks, against the contracts: mean and largest difference of a channel.
 *
 *   npm run build && node bench/extract/inks.mjs FILE.jpg ...
 *
 * Needs a Chromium and ImageMagick's `convert` on the PATH (PERMAFROST_CHROMIUM and PERMAFROST_CONVERT name others).
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { readHeader } from '../../dist/extract/image/decode.js';
import { openPicture } from '../../dist/extract/image/picture.js';

const { PERMAFROST_CHROMIUM = 'chromium', PERMAFROST_CONVERT = 'convert' } = process.env;
const found = PERMAFROST_CHROMIUM.includes('/')
  ? PERMAFROST_CHROMIUM
  : execFileSync('which', [PERMAFROST_CHROMIUM], { encoding: 'utf8' }).trim();
const browser = await chromium.launch({ executablePath: found, args: ['--no-sandbox', '--force-color-profile=srgb'] });
const page = await browser.newPage();

/** @param {Uint8Array} a @param {Uint8Array} b */
function difference(a, b) {
  let [sum, most] = [0, 0];
  for (const [i, level] of a.entries()) {
    const apart = Math.abs(level - /** @type {number} */ (b[i]));
    sum += apart;
    most = Math.max(most, apart);
  }
  return `${(sum / a.length).toFixed(2)} (at most ${most})`;
}

/** RGB of all pixels. @param {import('sharp').Sharp} picture */
const rgb = (picture) => picture.toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer();

/** What the browser runs: a picture, painted, as the address of a PNG. @param {string} address */
const painting = (address) => `(async () => {
  const image = new Image();
  image.src = ${JSON.stringify(address)};
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png');
})()`;

/** RGB as the browser paints it. @param {Buffer} jpeg */
async function shown(jpeg) {
  const png = String(await page.evaluate(painting(`data:image/jpeg;base64,${jpeg.toString('base64')}`)));
  return rgb(sharp(Buffer.from(png.slice(png.indexOf(',') + 1), 'base64')));
}

for (const file of process.argv.slice(2)) {
  const bytes = await readFile(file);
  const header = await readHeader(bytes);
  const look = /** @type {const} */ ({ orientation: 'ignore', iccProfile: 'ignore' });
  const variants = {
    vgg16: await rgb(await openPicture(bytes, header, { ...look, alpha: 'white' })),
    keras: await rgb(await openPicture(bytes, header, { ...look, alpha: 'drop' })),
    'the library alone': await rgb(sharp(bytes).keepIccProfile()),
  };
  const viewers = {
    Chromium: await shown(bytes),
    ImageMagick: execFileSync(PERMAFROST_CONVERT, [`${file}[0]`, '-colorspace', 'sRGB', '-depth', '8', 'rgb:-'], {
      maxBuffer: 2 ** 30,
    }),
  };
  console.log(basename(file));
  for (const [viewer, pixels] of Object.entries(viewers))
    for (const [name, own] of Object.entries(variants)) console.log(`  ${viewer}, ${name}: ${difference(own, pixels)}`);
}
await browser.close();
