import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { plainJpegHeader } from '../../../src/extract/image/jpeg-header.ts';
import { texture, toSharp } from '../../support/pictures.ts';
import { hasShared, needsShared, sharedPath } from '../../support/shared.ts';

/** What the image library reads. */
async function bySharp(bytes: Uint8Array) {
  const { width, height, orientation = 1, hasAlpha } = await sharp(bytes).metadata();
  return { width, height, orientation, hasAlpha };
}

const picture = toSharp(texture(30, 20, 1));
const oriented = (orientation: number) => picture.clone().withMetadata({ orientation }).jpeg().toBuffer();

/** A big-endian EXIF block that says an orientation and nothing else. */
function bigEndian(orientation: number): Buffer {
  const exif = Buffer.alloc(8 + 2 + 12 + 4);
  exif.write('MM');
  exif.writeUInt16BE(42, 2);
  exif.writeUInt32BE(8, 4);
  exif.writeUInt16BE(1, 8);
  exif.writeUInt16BE(0x0112, 10);
  exif.writeUInt16BE(3, 12);
  exif.writeUInt32BE(1, 14);
  exif.writeUInt16BE(orientation, 18);
  return exif;
}

function withExif(jpeg: Buffer, ...blocks: Buffer[]): Buffer {
  const segments = blocks.map((block) => {
    const head = Buffer.from([0xff, 0xe1, 0, 0, ...Buffer.from('Exif\0\0', 'latin1')]);
    head.writeUInt16BE(block.length + 8, 2);
    return Buffer.concat([head, block]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

describe('the header of a plain JPEG', () => {
  it('is what the image library reads: baseline, progressive, grey, with a profile, with each orientation', async () => {
    const files = await Promise.all([
      picture.clone().jpeg().toBuffer(),
      picture.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
      picture.clone().toColourspace('b-w').jpeg().toBuffer(),
      picture.clone().withIccProfile('p3').jpeg().toBuffer(),
      ...[1, 2, 3, 4, 5, 6, 7, 8].map(oriented),
    ]);
    for (const file of files) expect(plainJpegHeader(file)).toEqual(await bySharp(file));
    expect(plainJpegHeader(files.at(-1)!)).toEqual({
      width: 30,
      height: 20,
      orientation: 8,
      hasAlpha: false,
    });
  });

  it('reads big-endian EXIF, and takes an orientation outside 1 to 8 for 1', async () => {
    const jpeg = await picture.clone().jpeg().toBuffer();
    for (const [given, expected] of [
      [6, 6],
      [3, 3],
      [0, 1],
      [9, 1],
    ] as const) {
      const file = withExif(jpeg, bigEndian(given));
      expect(plainJpegHeader(file)).toMatchObject({ orientation: expected });
      expect(await bySharp(file)).toMatchObject({ orientation: expected });
    }
  });

  it('is left to the image library where there is more to judge', async () => {
    const jpeg = await picture.clone().jpeg().toBuffer();
    expect(plainJpegHeader(await picture.clone().png().toBuffer())).toBeUndefined();
    expect(plainJpegHeader(await picture.clone().toColourspace('cmyk').jpeg().toBuffer())).toBeUndefined();
    expect(plainJpegHeader(withExif(jpeg, bigEndian(3), bigEndian(6)))).toBeUndefined();
    expect(plainJpegHeader(withExif(jpeg, Buffer.from('II*\0 no directory follows')))).toBeUndefined();
    expect(plainJpegHeader(withExif(jpeg, Buffer.alloc(4)))).toBeUndefined();
    for (const length of [0, 1, 2, 3, 10, 40]) expect(plainJpegHeader(jpeg.subarray(0, length))).toBeUndefined();
  });

  it('never throws and never contradicts the image library, whatever bytes are damaged', async () => {
    const jpeg = await oriented(6);
    const damage = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(jpeg);
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        const header = plainJpegHeader(damaged);
        const other = await bySharp(damaged).catch(() => undefined);
        if (header !== undefined && other !== undefined) expect(header).toEqual(other);
      }),
      { numRuns: 300 },
    );
  });
});

const PHOTOGRAPHS = 'datasets/hymenoptera';

describe.skipIf(!hasShared(PHOTOGRAPHS))(needsShared(PHOTOGRAPHS, 'the header of a photograph'), () => {
  it('is what the image library reads, for all of hymenoptera', async () => {
    const root = sharedPath(PHOTOGRAPHS);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => /\.jpe?g$/i.test(path));
    expect(files.length).toBeGreaterThan(390);
    let plain = 0;
    for (const file of files) {
      const bytes = readFileSync(join(root, file));
      const header = plainJpegHeader(bytes);
      if (header !== undefined) expect(header, file).toEqual(await bySharp(bytes));
      plain += header === undefined ? 0 : 1;
    }
    expect(plain / files.length).toBeGreaterThan(0.95);
  });
});
