import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import type { SafeTensor } from '../../../src/core/safetensors.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { decode, readHeader } from '../../../src/extract/image/decode.ts';
import { placement } from '../../../src/extract/image/geometry.ts';
import { resample } from '../../../src/extract/image/resample.ts';
import { goldenTensors } from '../../support/golden.ts';
import { differingBytes, meanDifference } from '../../support/pictures.ts';
import { hasShared, needsShared, sharedPath } from '../../support/shared.ts';

const { keras } = CONTRACTS;
const IMAGE = 224 * 224 * 3;

async function pixelsOf(bytes: Uint8Array, contract: Contract): Promise<Uint8Array> {
  return decode(bytes, await readHeader(bytes), contract);
}

describe.skipIf(!hasShared('golden') || !hasShared('datasets/hymenoptera'))(
  needsShared('golden', "eight photographs, against Keras' load_img (Pillow)"),
  () => {
    let files: Buffer[];
    let golden: ReadonlyMap<string, SafeTensor>;
    const expected = (kernel: string, i: number): Uint8Array =>
      (golden.get(kernel)!.data as Uint8Array).subarray(i * IMAGE, (i + 1) * IMAGE);

    beforeAll(() => {
      golden = goldenTensors('pixels.safetensors');
      const { few } = JSON.parse(readFileSync(sharedPath('golden/golden.json'), 'utf8')) as { few: string[] };
      files = few.map((path) => readFileSync(join(sharedPath('datasets/hymenoptera'), path)));
      expect(files).toHaveLength(8);
    });

    it('are the same to the byte under the contract keras, from the JPEG files on', async () => {
      for (const [i, file] of files.entries()) {
        expect(differingBytes(await pixelsOf(file, keras), expected('nearest', i))).toBe(0);
      }
    });

    it.each(['bilinear', 'bicubic', 'lanczos'] as const)(
      'are the same within 0.3 levels on average when squashed with %s',
      async (kernel) => {
        const differences: number[] = [];
        for (const [i, file] of files.entries()) {
          const pixels = await pixelsOf(file, { ...keras, kernel });
          differences.push(meanDifference(pixels, expected(kernel, i)));
        }
        // The kernels are the same; libvips rounds their weights more coarsely: 0.17 to 0.22 levels measured over many
        // photographs.
        expect(differences.reduce((sum, d) => sum + d, 0) / files.length).toBeLessThan(0.3);
      },
    );

    it.each(['bilinear', 'bicubic', 'lanczos'] as const)(
      'are the same to the byte when resampled with %s outside sharp, as enlarged pictures are',
      async (kernel) => {
        for (const [i, file] of files.entries()) {
          const { data, info } = await sharp(file).keepIccProfile().raw().toBuffer({ resolveWithObject: true });
          const pixels = resample({ ...info, data }, placement(keras, info.width, info.height), 224, kernel);
          // Pillow 13 takes the axes in the other order for tall pictures and so rounds at another place (0.2 levels
          // with bilinear).
          if (info.width > info.height) expect(differingBytes(pixels, expected(kernel, i))).toBe(0);
          else expect(meanDifference(pixels, expected(kernel, i))).toBeLessThan(0.3);
        }
      },
    );

    it.each(['bilinear', 'bicubic', 'lanczos'] as const)(
      'are the same to the byte from the JPEG files on with %s, where the contract says so',
      async (kernel) => {
        for (const [i, file] of files.entries()) {
          const pixels = await pixelsOf(file, { ...keras, kernel, rounding: 'pillow' });
          // Of the tall ones see above.
          const { width, height } = await readHeader(file);
          if (width > height) expect(differingBytes(pixels, expected(kernel, i))).toBe(0);
        }
      },
    );

    it('differ when red and blue are swapped or another kernel is taken, so the comparisons can fail', async () => {
      for (const [i, file] of files.entries()) {
        const pixels = await pixelsOf(file, keras);
        const swapped = Uint8Array.from(pixels, (_, k) => pixels[k - (k % 3) + 2 - (k % 3)]!);
        expect(differingBytes(swapped, expected('nearest', i))).toBeGreaterThan(IMAGE / 10);
        expect(meanDifference(swapped, expected('nearest', i))).toBeGreaterThan(1);
        const bilinear = await pixelsOf(file, { ...keras, kernel: 'bilinear' });
        expect(meanDifference(bilinear, expected('lanczos', i))).toBeGreaterThan(0.3);
      }
    });

    it('differ when the source pixel is found by multiplying instead of adding, as a naive resize would', async () => {
      const naive = async (file: Buffer): Promise<Uint8Array> => {
        const { data, info } = await sharp(file).keepIccProfile().raw().toBuffer({ resolveWithObject: true });
        const from = (to: number, size: number): number => Math.floor((to + 0.5) * (size / 224));
        const out = new Uint8Array(IMAGE);
        for (let y = 0; y < 224; y++) {
          for (let x = 0; x < 224; x++) {
            const at = (from(y, info.height) * info.width + from(x, info.width)) * 3;
            out.set(data.subarray(at, at + 3), (y * 224 + x) * 3);
          }
        }
        return out;
      };
      const differing = await Promise.all(
        files.map(async (file, i) => differingBytes(await naive(file), expected('nearest', i))),
      );
      // Only where a step is no binary fraction do the two ways part; one of the eight is such a photograph.
      expect(Math.max(...differing)).toBeGreaterThan(10_000);
    });
  },
);
