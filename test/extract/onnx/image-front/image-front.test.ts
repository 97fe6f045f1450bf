import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../../src/core/contract.ts';
import { createSession, onnxRuntime, type OnnxSession } from '../../../../src/core/onnxruntime.ts';
import { CONTRACTS } from '../../../../src/extract/contract.ts';
import { decode, readHeader } from '../../../../src/extract/image/decode.ts';
import { imageFront } from '../../../../src/extract/onnx/image-front/image-front.ts';
import { uprightPixels } from '../../../../src/extract/onnx/image-front/upright.ts';
import { paint, toSharp } from '../../../support/pictures.ts';

const SIZE = 64;
const vips: Contract = { ...CONTRACTS.vgg16, size: SIZE };
const base: Contract = { ...vips, rounding: 'pillow' };

/** Contracts that differ in all that decides pixels. */
const VARIANTS: Readonly<Record<string, Contract>> = {
  'a crop of bilinear pixels': base,
  'a crop of a larger bicubic square': { ...base, resize: 73, kernel: 'bicubic' },
  'the same, its offset rounded down': { ...base, resize: 73, kernel: 'bicubic', crop: 'floor' },
  'a crop by lanczos': { ...base, resize: 70, kernel: 'lanczos' },
  'a squashed square': { ...base, geometry: 'squash' },
  'nearest pixels, squashed': { ...CONTRACTS.keras, size: SIZE },
  'a crop of nearest pixels': { ...base, kernel: 'nearest', resize: 67 },
  'a picture on a colour': { ...base, geometry: 'contain-pad', pad: [128, 30, 255] },
  'a bicubic picture on black': { ...base, geometry: 'contain-pad', kernel: 'bicubic' },
  'nearest pixels on a colour': { ...base, geometry: 'contain-pad', kernel: 'nearest', pad: [9, 8, 7] },
  'a picture smaller than the square': { ...base, resize: 50, pad: [1, 2, 3] },
  'what libvips makes': vips,
  'what libvips makes by bicubic': { ...vips, kernel: 'bicubic', resize: 73 },
  'what libvips makes by lanczos, squashed': { ...vips, kernel: 'lanczos', geometry: 'squash' },
};

/** Odd, tall, wide, tiny, smaller than the square and in part so; equal to it, twice, and more than four times. */
const SIZES = [
  [143, 107],
  [107, 143],
  [160, 118],
  [128, 128],
  [64, 64],
  [63, 65],
  [30, 26],
  [200, 9],
  [7, 150],
  [1, 1],
  [3, 2],
  [433, 300],
] as const;

/** A picture of waves and noise as a PNG file, and its pixels. */
async function picture(width: number, height: number) {
  let state = width * 31 + height;
  const noise = (): number => (state = (state * 48_271) % 2_147_483_647) % 61;
  const wave = (x: number, y: number, c: number): number => 127 + 90 * Math.sin(x / 7 + c) + 60 * Math.cos(y / 5 - c);
  const level = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
  const image = paint(width, height, (x, y) => [0, 1, 2].map((c) => level(wave(x, y, c) + noise() - 30)));
  const png = await toSharp(image).png().toBuffer();
  return { png, header: await readHeader(png) };
}

async function frontOf(contract: Contract): Promise<OnnxSession> {
  const side = contract.size;
  return createSession({
    name: 'front',
    ...imageFront(contract, 'image', 'pixels', 'front/'),
    inputs: [{ name: 'image', type: 'uint8', shape: ['batch', 'height', 'width', 3] }],
    outputs: [{ name: 'pixels', type: 'uint8', shape: ['batch', side, side, 3] }],
  });
}

async function run(session: OnnxSession, images: readonly Uint8Array[], height: number, width: number) {
  const { Tensor } = await onnxRuntime();
  const all = Uint8Array.from(images.flatMap((image) => [...image]));
  const { pixels } = await session.run({ image: new Tensor('uint8', all, [images.length, height, width, 3]) });
  return pixels!.data as Uint8Array;
}

function compared(a: Uint8Array, b: Uint8Array): { readonly differing: number; readonly most: number } {
  expect(a.length).toBe(b.length);
  let [differing, most] = [0, 0];
  a.forEach((value, i) => {
    const apart = Math.abs(value - b[i]!);
    if (apart > 0) differing++;
    most = Math.max(most, apart);
  });
  return { differing, most };
}

describe.each(Object.entries(VARIANTS))('%s in the graph', { timeout: 600_000 }, (_name, contract) => {
  let session: OnnxSession;
  beforeAll(async () => {
    session = await frontOf(contract);
  });
  afterAll(() => session.release());

  it('has the bytes of the decoder, of every size', async () => {
    for (const [width, height] of SIZES) {
      const { png, header } = await picture(width, height);
      const { data } = await uprightPixels(png, contract);
      const found = compared(await run(session, [data], height, width), await decode(png, header, contract));
      // libvips adds up anew in each strip of lines, and its threads decide on the strips: points between two steps
      // may fall to the other one there.
      const isSteady = contract.rounding === 'pillow' || contract.kernel === 'nearest';
      const within = isSteady ? 0 : 0.02 * 3 * SIZE ** 2;
      expect(found.differing, `bytes of ${width} x ${height}`).toBeLessThanOrEqual(within);
      expect(found.most).toBeLessThanOrEqual(isSteady ? 0 : 1);
    }
  });
});

describe('the graph of a contract', () => {
  it.each(['bilinear', 'bicubic'] as const)(
    'is within a level at exact halves, of which %s pixels without antialiasing have many',
    async (kernel) => {
      const contract: Contract = { ...base, antialias: false, kernel, resize: 66 };
      const session = await frontOf(contract);
      for (const [width, height] of SIZES) {
        const { png, header } = await picture(width, height);
        const { data } = await uprightPixels(png, contract);
        const found = compared(await run(session, [data], height, width), await decode(png, header, contract));
        expect(found.most).toBeLessThanOrEqual(1);
        expect(found.differing).toBeLessThan(0.02 * 3 * SIZE ** 2);
      }
      await session.release();
    },
  );

  it('takes several images of one size, each as it would be alone', async () => {
    const session = await frontOf(vips);
    const { data } = await uprightPixels((await picture(90, 70)).png, vips);
    const other = data.map((value) => 255 - value);
    const both = await run(session, [data, other], 70, 90);
    const length = 3 * SIZE ** 2;
    expect(both.subarray(0, length)).toEqual(await run(session, [data], 70, 90));
    expect(both.subarray(length)).toEqual(await run(session, [other], 70, 90));
    await session.release();
  });

  it('is another where another kernel is asked for', async () => {
    const [a, b] = await Promise.all([frontOf(base), frontOf({ ...base, kernel: 'lanczos' })]);
    const { png } = await picture(143, 107);
    const { data } = await uprightPixels(png, base);
    expect(compared(await run(a, [data], 107, 143), await run(b, [data], 107, 143)).differing).toBeGreaterThan(1000);
    await Promise.all([a.release(), b.release()]);
  });
});
