import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import { without } from '../../../src/core/options.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { applyView } from '../../../src/extract/image/augment.ts';
import { decode, readHeader } from '../../../src/extract/image/decode.ts';
import { UNCHANGED } from '../../../src/extract/image/view-parameters.ts';
import { rejection } from '../../support/errors.ts';
import {
  differingBytes,
  meanDifference,
  paint,
  pixelAt,
  plain,
  texture,
  toSharp,
  type Picture,
} from '../../support/pictures.ts';

const { vgg16, keras } = CONTRACTS;

async function pixelsOf(bytes: Uint8Array, contract: Contract): Promise<Uint8Array> {
  const pixels = await decode(bytes, await readHeader(bytes), contract);
  expect(pixels).toHaveLength(contract.size * contract.size * 3);
  return pixels;
}

/** The middle pixel under both named contracts. */
async function middles(bytes: Uint8Array): Promise<Record<'vgg16' | 'keras', number[]>> {
  const [a, b] = [await pixelsOf(bytes, vgg16), await pixelsOf(bytes, keras)];
  return { vgg16: pixelAt(a, 224, 112, 112), keras: pixelAt(b, 224, 112, 112) };
}

const both = (...colour: number[]) => ({ vgg16: colour, keras: colour });

describe('kinds of pictures', () => {
  const orange = plain(300, 200, 200, 100, 50);

  it.each([
    ['PNG', (p: Sharp) => p.png()],
    ['PNG with a palette', (p: Sharp) => p.png({ palette: true })],
    ['JPEG', (p: Sharp) => p.jpeg({ quality: 100, chromaSubsampling: '4:4:4' })],
    ['lossless WebP', (p: Sharp) => p.webp({ lossless: true })],
    ['lossless AVIF', (p: Sharp) => p.avif({ lossless: true })],
    ['TIFF', (p: Sharp) => p.tiff({ compression: 'lzw' })],
    ['GIF', (p: Sharp) => p.gif()],
  ])('%s gives the colours that were put in', async (_name, encode) => {
    expect(await middles(await encode(toSharp(orange)).toBuffer())).toEqual(both(200, 100, 50));
  });

  it('a progressive JPEG gives the same bytes as the baseline one', async () => {
    const picture = toSharp(texture(320, 240, 1));
    const baseline = await picture.clone().jpeg({ progressive: false }).toBuffer();
    const progressive = await picture.clone().jpeg({ progressive: true }).toBuffer();
    expect(progressive.equals(baseline)).toBe(false);
    for (const contract of [vgg16, keras]) {
      expect(differingBytes(await pixelsOf(progressive, contract), await pixelsOf(baseline, contract))).toBe(0);
    }
  });

  it('a grey picture gives three equal channels, as PNG and as JPEG', async () => {
    const grey = toSharp(plain(300, 200, 77)).toColourspace('b-w');
    expect(await middles(await grey.clone().png().toBuffer())).toEqual(both(77, 77, 77));
    expect(await middles(await grey.clone().jpeg({ quality: 100 }).toBuffer())).toEqual(both(77, 77, 77));
  });

  it.each([
    // Keras sees what Pillow cuts off at 255.
    [1, 'grey16', { vgg16: [0x80, 0x80, 0x80], keras: [255, 255, 255] }],
    [3, 'rgb16', both(0x80, 0x80, 0x80)],
  ] as const)('16 bits a sample in %i channels become their upper 8', async (channels, space, expected) => {
    const data = new Uint16Array(300 * 200 * channels).fill(0x8040);
    const png = await sharp(data, { raw: { width: 300, height: 200, channels } })
      .toColourspace(space)
      .png()
      .toBuffer();
    expect((await sharp(png).metadata()).depth).toBe('ushort');
    expect(await middles(png)).toEqual(expected);
  });

  it('what is half transparent lies on white under vgg16 and keeps its colour under keras', async () => {
    const half = toSharp(plain(300, 200, 200, 100, 50, 128));
    for (const options of [{}, { palette: true }]) {
      const found = await middles(await half.clone().png(options).toBuffer());
      expect(found.keras).toEqual([200, 100, 50]);
      // colour * 128/255 + 255 * 127/255, give or take one level of rounding
      for (const [c, expected] of [227.4, 177.2, 152.1].entries()) {
        expect(Math.abs(found.vgg16[c]! - expected)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('what is wholly transparent is white under vgg16; under keras the colours hidden in the file show', async () => {
    const png = await toSharp(plain(300, 200, 200, 100, 50, 0))
      .png()
      .toBuffer();
    expect(await middles(png)).toEqual({ vgg16: [255, 255, 255], keras: [200, 100, 50] });
  });

  it('hidden colours do not depend on their alpha where a contract drops alpha and smooths', async () => {
    const smooth: Contract = { ...keras, kernel: 'bilinear' };
    const { width, height, data } = texture(300, 200, 2);
    const seen = paint(width, height, (x, y) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]);
    const veiled = paint(width, height, (x, y) => [...pixelAt(data, width, x, y), (x * 7 + y * 13) % 256]);
    expect(
      differingBytes(
        await pixelsOf(await toSharp(veiled).png().toBuffer(), smooth),
        await pixelsOf(await toSharp(seen).png().toBuffer(), smooth),
      ),
    ).toBe(0);
  });

  it('of an animated GIF the first frame counts', async () => {
    const frames = await Promise.all(
      [
        [255, 0, 0],
        [0, 255, 0],
      ].map((colour) =>
        toSharp(plain(60, 40, ...colour))
          .png()
          .toBuffer(),
      ),
    );
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    expect((await sharp(gif).metadata()).pages).toBe(2);
    expect(await middles(gif)).toEqual(both(255, 0, 0));
    expect(await readHeader(gif)).toMatchObject({ width: 60, height: 40 });
  });

  it('an SVG is drawn in its own size', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="#c86432"/></svg>',
    );
    expect(await readHeader(svg)).toMatchObject({ width: 300, height: 200, orientation: 1 });
    expect(await middles(svg)).toEqual(both(200, 100, 50));
  });

  it.each([
    [1, 1],
    [1, 300],
    [3000, 2],
    [224, 224],
    [223, 225],
  ])('a picture of %i x %i pixels fills the square', async (width, height) => {
    const png = await toSharp(plain(width, height, 200, 100, 50))
      .png()
      .toBuffer();
    const square = plain(224, 224, 200, 100, 50).data;
    for (const contract of [vgg16, keras]) {
      expect(differingBytes(await pixelsOf(png, contract), square)).toBe(0);
    }
  });
});

describe('ICC profiles', () => {
  /** The JPEG without its APP2 segments, where profiles lie: the same coded pixels. */
  function withoutProfile(jpeg: Buffer): Buffer {
    const kept: Buffer[] = [jpeg.subarray(0, 2)];
    let at = 2;
    while (jpeg[at + 1] !== 0xda) {
      const end = at + 2 + jpeg.readUInt16BE(at + 2);
      if (jpeg[at + 1] !== 0xe2) kept.push(jpeg.subarray(at, end));
      at = end;
    }
    return Buffer.concat([...kept, jpeg.subarray(at)]);
  }

  it('do not touch the pixels, though they would if they were applied', async () => {
    const tagged = await toSharp(texture(320, 240, 3))
      .withIccProfile('p3')
      .jpeg()
      .toBuffer();
    const bare = withoutProfile(tagged);
    expect((await sharp(tagged).metadata()).icc).toBeDefined();
    expect((await sharp(bare).metadata()).icc).toBeUndefined();
    for (const contract of [vgg16, keras]) {
      expect(differingBytes(await pixelsOf(tagged, contract), await pixelsOf(bare, contract))).toBe(0);
    }
    const [applied, ignored] = [await sharp(tagged).raw().toBuffer(), await sharp(bare).raw().toBuffer()];
    expect(meanDifference(applied, ignored)).toBeGreaterThan(1);
  });
});

describe('EXIF orientation', () => {
  const upright = texture(448, 224, 4);

  /**
   * The upright picture as a camera stores it: what row 0 and column 0 are in each orientation (EXIF 2.3, tag 0x0112).
   */
  function stored({ width, height, data }: Picture, orientation: number): Picture {
    const at = (x: number, y: number) => pixelAt(data, width, x, y);
    const [right, bottom] = [width - 1, height - 1];
    switch (orientation) {
      case 2:
        return paint(width, height, (x, y) => at(right - x, y));
      case 3:
        return paint(width, height, (x, y) => at(right - x, bottom - y));
      case 4:
        return paint(width, height, (x, y) => at(x, bottom - y));
      case 5:
        return paint(height, width, (x, y) => at(y, x));
      case 6:
        return paint(height, width, (x, y) => at(right - y, x));
      case 7:
        return paint(height, width, (x, y) => at(right - y, bottom - x));
      case 8:
        return paint(height, width, (x, y) => at(y, bottom - x));
      default:
        return paint(width, height, at);
    }
  }
  const encoded = (picture: Picture, orientation: number) => toSharp(picture).withMetadata({ orientation });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i gives the upright picture under vgg16, to the byte', async (orientation) => {
    const png = await encoded(stored(upright, orientation), orientation).png().toBuffer();
    const plainPng = await toSharp(upright).png().toBuffer();
    expect(await readHeader(png)).toMatchObject({ orientation, width: orientation < 5 ? 448 : 224 });
    expect(differingBytes(await pixelsOf(png, vgg16), await pixelsOf(plainPng, vgg16))).toBe(0);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i leaves the pixels as they lie in the file under keras', async (orientation) => {
    const lying = stored(upright, orientation);
    const png = await encoded(lying, orientation).png().toBuffer();
    // 448 to 224 takes each second pixel, the odd ones (facts of Pillow's NEAREST); 224 to 224 takes all.
    const [kx, ky] = [lying.width / 224, lying.height / 224];
    const expected = paint(224, 224, (x, y) =>
      pixelAt(lying.data, lying.width, kx === 2 ? 2 * x + 1 : x, ky === 2 ? 2 * y + 1 : y),
    );
    expect(differingBytes(await pixelsOf(png, keras), expected.data)).toBe(0);
  });

  it('is applied to JPEG files too, where cameras write it, and a wrong one is told apart', async () => {
    const jpeg = (orientation: number, tag = orientation) =>
      encoded(stored(upright, orientation), tag).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    const expected = await pixelsOf(await toSharp(upright).png().toBuffer(), vgg16);
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      // JPEG at quality 100 rounds coefficients of noise: about one level; a picture turned wrongly is 50 away.
      expect(meanDifference(await pixelsOf(await jpeg(orientation), vgg16), expected)).toBeLessThan(2);
    }
    expect(meanDifference(await pixelsOf(await jpeg(6, 8), vgg16), expected)).toBeGreaterThan(20);
  });

  it('outside 1 to 8 counts as 1', async () => {
    const jpeg = await encoded(upright, 6).jpeg().toBuffer();
    const tag = jpeg.indexOf(Buffer.from([0x12, 0x01, 0x03, 0x00])); // little-endian 0x0112, type SHORT
    expect(tag).toBeGreaterThan(0);
    jpeg.writeUInt16LE(9, tag + 8);
    expect(await readHeader(jpeg)).toMatchObject({ orientation: 1 });
    const untagged = await toSharp(upright).jpeg().toBuffer();
    expect(differingBytes(await pixelsOf(jpeg, vgg16), await pixelsOf(untagged, vgg16))).toBe(0);
  });
});

/** A TIFF of 2 x 2 grey pixels, 32 bits each; `format` 1 is unsigned, 3 float (TIFF 6.0, tag 339). */
function greyTiff32(format: number): Buffer {
  const tags = [
    [256, 2], // width
    [257, 2], // height
    [258, 32], // bits a sample
    [259, 1], // not compressed
    [262, 1], // 0 is black
    [273, 8 + 2 + 10 * 12 + 4], // where the pixels lie
    [277, 1], // samples a pixel
    [278, 2], // rows a strip
    [279, 16], // bytes of pixels
    [339, format],
  ] as const;
  const head = Buffer.alloc(8 + 2 + tags.length * 12 + 4);
  head.write('II*');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, value], i) => {
    head.writeUInt16LE(tag, 10 + i * 12);
    head.writeUInt16LE(3, 12 + i * 12);
    head.writeUInt32LE(1, 14 + i * 12);
    head.writeUInt16LE(value, 18 + i * 12);
  });
  return Buffer.concat([head, Buffer.alloc(16, 1)]);
}

describe('what is no whole picture', () => {
  it('is refused at zero bytes', async () => {
    const { message } = await rejection(readHeader(new Uint8Array(0)), 'IMAGE_UNDECODABLE');
    expect(message).toBe('The file is empty (0 bytes).');
  });

  it.each([
    ['text named .jpg', Buffer.from('this is no picture, whatever its name says\n')],
    ['a sound file', Buffer.from('RIFF\0\0\0\0WAVEfmt ')],
  ])('is refused as %s, naming the formats that are decoded', async (_name, bytes) => {
    const { message } = await rejection(readHeader(bytes), 'IMAGE_UNDECODABLE');
    expect(message).toMatch(/no JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG, BMP, .* or HEIC/);
  });

  it('is refused as a JPEG that ends early, wherever', async () => {
    const jpeg = await toSharp(texture(64, 48, 5))
      .jpeg()
      .toBuffer();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: jpeg.length - 2 }), async (length) => {
        for (const contract of [vgg16, keras]) {
          await rejection(pixelsOf(jpeg.subarray(0, length), contract), 'IMAGE_UNDECODABLE');
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['PNG', (p: Sharp) => p.png()],
    ['WebP', (p: Sharp) => p.webp()],
    ['TIFF', (p: Sharp) => p.tiff({ compression: 'lzw' })],
    ['GIF', (p: Sharp) => p.gif()],
    ['AVIF', (p: Sharp) => p.avif()],
  ])('is refused as half a %s, in one short line', async (_name, encode) => {
    const bytes = await encode(toSharp(texture(300, 200, 6))).toBuffer();
    for (const contract of [vgg16, keras]) {
      const half = bytes.subarray(0, bytes.length >> 1);
      const { message } = await rejection(pixelsOf(half, contract), 'IMAGE_UNDECODABLE');
      expect(message.length).toBeGreaterThan(10);
      expect(message.length).toBeLessThan(250);
      expect(message).not.toContain('\n');
    }
  });

  it('is never the cause of another error than IMAGE_UNDECODABLE, whatever bytes are damaged', async () => {
    const files = await Promise.all(
      [
        toSharp(texture(64, 48, 7)).jpeg(),
        toSharp(texture(64, 48, 7)).png(),
        toSharp(texture(64, 48, 7)).webp(),
        toSharp(texture(64, 48, 7)).gif(),
        toSharp(texture(64, 48, 7)).tiff(),
      ].map((p) => p.toBuffer()),
    );
    const damage = fc.array(
      fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), damage, async (file, flips) => {
        const bytes = Uint8Array.from(file);
        for (const [where, mask] of flips) bytes[Math.floor(where * bytes.length)]! ^= mask;
        const pixels = await pixelsOf(bytes, keras).catch((error: unknown) => error);
        if (!(pixels instanceof Uint8Array)) expect(pixels).toMatchObject({ code: 'IMAGE_UNDECODABLE' });
      }),
      { numRuns: 150 },
    );
  });

  it('is refused as an SVG that is broken', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="3');
    await rejection(pixelsOf(svg, vgg16), 'IMAGE_UNDECODABLE');
  });

  it.each([
    ['float', 3],
    ['uint', 1],
  ])('is refused as a grey TIFF of 32-bit %s samples, which have no known black and white', async (depth, format) => {
    const { message } = await rejection(readHeader(greyTiff32(format)), 'IMAGE_UNDECODABLE');
    expect(message).toMatch(new RegExp(`samples are ${depth} numbers.*8 or 16 bits`));
  });

  it('keeps what the decoder said as its cause', async () => {
    const error = await rejection(readHeader(readFileSync(import.meta.filename)), 'IMAGE_UNDECODABLE');
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('a ground around the picture', () => {
  const padded = { ...vgg16, size: 60, geometry: 'contain-pad', pad: [10, 200, 30] } as const satisfies Contract;
  const contracts: readonly Contract[] = [
    padded,
    { ...padded, kernel: 'nearest' },
    { ...padded, kernel: 'bicubic', antialias: false },
    { ...padded, resize: 80 },
  ];

  it.each([
    ['shrinks', 300, 100],
    ['grows', 15, 5],
    ['is grey', 300, 100],
    ['has transparent parts', 300, 100],
    ['lies on its side', 100, 300],
  ])('is of the colour that the contract names, where a picture %s', async (what, width, height) => {
    for (const contract of contracts) {
      for (const alpha of ['white', 'drop'] as const) {
        let image = toSharp(plain(width, height, 90, 90, 90));
        if (what === 'is grey') image = image.toColourspace('b-w');
        if (what === 'has transparent parts') image = toSharp(plain(width, height, 90, 90, 90, 255));
        const png = await (what === 'lies on its side' ? image.withMetadata({ orientation: 6 }) : image)
          .png()
          .toBuffer();
        const pixels = await pixelsOf(png, { ...contract, alpha });
        const edge = contract.resize === 80 ? 27 : 20;
        const rows = Array.from({ length: 60 }, (_, y) => pixelAt(pixels, 60, 30, y).join(' '));
        const before = Math.floor((60 - edge) / 2);
        const expected = rows.map((_, y) => (y >= before && y < before + edge ? '90 90 90' : '10 200 30'));
        expect(rows).toEqual(expected);
        expect(pixelAt(pixels, 60, 0, 30)).toEqual([90, 90, 90]);
        expect(pixelAt(pixels, 60, 59, 30)).toEqual([90, 90, 90]);
      }
    }
  });

  it('is black where none is named', async () => {
    const black = without(padded, 'pad');
    const pixels = await pixelsOf(
      await toSharp(plain(300, 100, 90, 90, 90))
        .png()
        .toBuffer(),
      black,
    );
    expect([pixelAt(pixels, 60, 30, 19), pixelAt(pixels, 60, 30, 20)]).toEqual([
      [0, 0, 0],
      [90, 90, 90],
    ]);
  });

  it('is turned and shifted with the picture in a view, and has the size of the square', async () => {
    const pixels = await pixelsOf(
      await toSharp(plain(300, 100, 90, 90, 90))
        .png()
        .toBuffer(),
      padded,
    );
    const turned = applyView(pixels, 60, { ...UNCHANGED, rotation: 90 });
    expect([pixelAt(turned, 60, 19, 30), pixelAt(turned, 60, 20, 30)]).toEqual([
      [10, 200, 30],
      [90, 90, 90],
    ]);
  });
});
