import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { colours, keras, square, viewer } from '../../../support/decoded.ts';
import { rejection } from '../../../support/errors.ts';
import { differingBytes, texture, toSharp } from '../../../support/pictures.ts';
import { tiff } from '../../../support/tiff.ts';

describe('a damaged TIFF', () => {
  const whole = (compression: 'none' | 'lzw' | 'deflate' | 'packbits' | 'jpeg', tile = false) =>
    toSharp(texture(160, 120, 3))
      .tiff({ compression, predictor: 'none', tile, tileWidth: 64, tileHeight: 64 })
      .toBuffer();

  it.each([
    ['none', false],
    ['lzw', false],
    ['deflate', false],
    ['packbits', false],
    ['jpeg', false],
    ['none', true],
    ['lzw', true],
    ['deflate', true],
  ] as const)('of compression %s (tiled: %s) is refused wherever it is cut off', async (compression, tile) => {
    const bytes = await whole(compression, tile);
    await square(bytes, keras); // It is sound.
    // The directory may stand at either end; a cut anywhere takes away some of it or of the pixels.
    for (const share of [0.05, 0.3, 0.5, 0.9, 0.99]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * share));
      for (const contract of [keras, viewer]) await rejection(square(cut, contract), 'IMAGE_UNDECODABLE');
    }
  });

  it('says that it is cut off where its directory stood at its end', async () => {
    const bytes = tiff(4, 4, Buffer.alloc(16, 9), { 258: [8], 262: [1] });
    bytes.writeUInt32LE(bytes.length + 100, 4);
    for (const cut of [bytes, bytes.subarray(0, 60)])
      expect((await rejection(readHeader(cut), 'IMAGE_UNDECODABLE')).message).toMatch(
        /a TIFF that is cut off: its directory/,
      );
  });

  it('is refused where its pixels are cut off and its directory stands before them', async () => {
    const samples = Buffer.alloc(64 * 64 * 3, 200);
    const bytes = tiff(64, 64, samples, { 258: [8, 8, 8], 262: [2], 277: [3] });
    expect((await colours(bytes, keras, 1, 1))[0]).toEqual([200, 200, 200]);
    for (const left of [0.3, 0.99]) {
      const cut = bytes.subarray(0, bytes.length - Math.floor(samples.length * (1 - left)));
      await rejection(square(cut, keras), 'IMAGE_UNDECODABLE');
    }
  });

  it.each([
    ['lzw', false],
    ['deflate', false],
    ['lzw', true],
    ['deflate', true],
    ['jpeg', true],
  ] as const)('of compression %s (tiled: %s) is refused where bytes within are others', async (compression, tile) => {
    const bytes = await whole(compression, tile);
    // Of a strip of Deflate that holds such noise uncompressed the checksum alone tells, which libtiff does not read.
    for (const at of [0.3, 0.5, 0.7]) {
      const damaged = Buffer.from(bytes);
      const from = Math.max(10, Math.floor(bytes.length * at));
      // Codes that have no meaning: each codec stumbles over a run of one of these.
      damaged.fill({ lzw: 0xff, deflate: 0xff, jpeg: 0xb0 }[compression], from, from + 40);
      if (compression === 'jpeg') for (let i = 0; i < 40; i += 2) damaged[from + i] = 0xff;
      await rejection(square(damaged, keras), 'IMAGE_UNDECODABLE');
    }
  });

  it.each([false, true])('of Deflate (tiled: %s) is refused where a part is zeros', async (tile) => {
    const bytes = await whole('deflate', tile);
    for (let i = 1; i < 9; i++) {
      const damaged = Buffer.from(bytes);
      const from = Math.floor((bytes.length * i) / 10);
      damaged.fill(0, from, from + Math.floor(bytes.length / 16));
      await rejection(square(damaged, keras), 'IMAGE_UNDECODABLE');
    }
  });

  it('of old-style JPEG is refused with the way on, as the library would misread it', async () => {
    const bytes = tiff(4, 4, Buffer.alloc(48), { 258: [8, 8, 8], 259: [6], 262: [6], 277: [3] });
    expect((await rejection(readHeader(bytes), 'IMAGE_UNDECODABLE')).message).toMatch(/old-style JPEG.*Save it/);
  });

  it.each([
    ['float RGB', { 258: [32, 32, 32], 262: [2], 277: [3], 339: [3, 3, 3] }, 12],
    ['float grey', { 258: [32], 262: [1], 339: [3] }, 4],
    ['half-float RGB', { 258: [16, 16, 16], 262: [2], 277: [3], 339: [3, 3, 3] }, 6],
  ])('of %s samples is refused: nobody tells which is black and which white', async (_name, tags, bytesAPixel) => {
    const bytes = tiff(4, 4, Buffer.alloc(16 * bytesAPixel, 1), tags);
    expect((await rejection(readHeader(bytes), 'IMAGE_UNDECODABLE')).message).toMatch(/float numbers.*8 or 16 bits/);
  });
});

/** Samples of 4 x 2 pixels, and what Pillow 13 makes of them: Image.open(...).convert("RGB"). */
describe('a YCbCr TIFF', () => {
  const samples = Buffer.from([
    250, 34, 98, 103, 231, 52, 128, 67, 5, 192, 15, 71, 127, 124, 29, 251, 191, 246, 23, 185, 75, 138, 236, 70,
  ]);
  const tags = { 258: [8, 8, 8], 262: [6], 277: [3], 530: [1, 1] };
  const pillowOwn = [
    [207, 255, 83],
    [0, 121, 255],
    [0, 236, 19],
    [112, 255, 0],
    [0, 199, 119],
    [255, 145, 255],
    [0, 41, 124],
    [56, 142, 255],
  ];
  const byLibtiff = [
    [208, 255, 83],
    [0, 122, 255],
    [0, 237, 20],
    [112, 255, 0],
    [0, 199, 120],
    [255, 145, 255],
    [0, 41, 124],
    [57, 142, 255],
  ];
  const bt709 = [
    [218, 255, 75],
    [0, 120, 255],
    [0, 208, 2],
    [103, 255, 0],
    [0, 182, 122],
    [255, 197, 255],
    [0, 24, 127],
    [40, 150, 255],
  ];
  const meaning = { 529: [0.2126, 0.7152, 0.0722], 532: [16, 235, 128, 240, 128, 240] };

  it('without compression has the colours of Pillow, which reads it itself', async () => {
    for (const order of ['II', 'MM'] as const)
      expect(await colours(tiff(4, 2, samples, tags, order), keras, 4, 2)).toEqual(pillowOwn);
  });

  it('with compression has those of libtiff, which Pillow asks', async () => {
    // PackBits: one literal run.
    const packed = Buffer.concat([Buffer.from([samples.length - 1]), samples]);
    expect(await colours(tiff(4, 2, packed, { ...tags, 259: [32773] }), keras, 4, 2)).toEqual(byLibtiff);
    expect(await colours(tiff(4, 2, packed, { ...tags, ...meaning, 259: [32773] }), keras, 4, 2)).toEqual(bt709);
  });

  it('means in a viewer what its own numbers say, compressed or not', async () => {
    expect(await colours(tiff(4, 2, samples, { ...tags, ...meaning }), viewer, 4, 2)).toEqual(bt709);
    expect(await colours(tiff(4, 2, samples, { ...tags, ...meaning }), keras, 4, 2)).toEqual(pillowOwn);
  });

  it('of 16 bits is refused, which the library would take for RGB', async () => {
    const bytes = tiff(2, 2, Buffer.alloc(24), { ...tags, 258: [16, 16, 16] });
    expect((await rejection(readHeader(bytes), 'IMAGE_UNDECODABLE')).message).toContain('YCbCr of 16 bits');
  });
});

describe('a TIFF that Pillow changes when it loads it', () => {
  it.each([
    [1, [10, 20, 30, 40, 50, 60], 3, 2],
    [3, [60, 50, 40, 30, 20, 10], 3, 2],
    [6, [40, 10, 50, 20, 60, 30], 2, 3],
    [8, [30, 60, 20, 50, 10, 40], 2, 3],
    [5, [10, 40, 20, 50, 30, 60], 2, 3],
  ])(
    'with orientation %i is upright under every contract, also under one that ignores orientations',
    async (tag, expected, width, height) => {
      const bytes = tiff(3, 2, Buffer.from([10, 20, 30, 40, 50, 60]), { 258: [8], 262: [1], 274: [tag] });
      for (const contract of [keras, viewer])
        expect((await colours(bytes, contract, width, height)).map(([grey]) => grey)).toEqual(expected);
    },
  );

  it('of 16-bit grey is cut off at 255 under keras, and has its upper 8 bits under vgg16', async () => {
    const samples = Buffer.alloc(12);
    for (const [i, value] of [0, 100, 255, 256, 0x8000, 0xffff].entries()) samples.writeUInt16LE(value, 2 * i);
    const bytes = tiff(3, 2, samples, { 258: [16], 262: [1] });
    expect((await colours(bytes, keras, 3, 2)).map(([grey]) => grey)).toEqual([0, 100, 255, 255, 255, 255]);
    expect((await colours(bytes, viewer, 3, 2)).map(([grey]) => grey)).toEqual([0, 0, 0, 1, 128, 255]);
  });

  it('of four inks has the colours of Pillow, without a profile under every contract', async () => {
    const inks = [
      [121, 131, 193, 243],
      [8, 36, 210, 242],
      [63, 79, 222, 108],
      [69, 211, 65, 104],
      [164, 140, 21, 7],
      [221, 192, 214, 137],
    ];
    const expected = [
      [6, 6, 3],
      [13, 11, 2],
      [111, 101, 19],
      [110, 26, 113],
      [89, 112, 228],
      [16, 29, 19],
    ];
    const bytes = tiff(3, 2, Buffer.from(inks.flat()), { 258: [8, 8, 8, 8], 262: [5], 277: [4] });
    for (const contract of [keras, viewer]) expect(await colours(bytes, contract, 3, 2)).toEqual(expected);
    // Of 16 bits the upper 8 count.
    const wide = Buffer.alloc(48);
    for (const [i, ink] of inks.flat().entries()) wide.writeUInt16LE(ink * 256 + 77, 2 * i);
    const wideBytes = tiff(3, 2, wide, { 258: [16, 16, 16, 16], 262: [5], 277: [4] });
    expect(await colours(wideBytes, keras, 3, 2)).toEqual(expected);
  });

  it('keeps the pixels of a plain one as they were: RGB, grey and LZW', async () => {
    const { width, height, data } = texture(224, 224, 9);
    for (const compression of ['none', 'lzw'] as const) {
      const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
        .tiff({ compression })
        .toBuffer();
      expect(differingBytes(await square(bytes, keras), data)).toBe(0);
    }
  });
});
