import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rgbArithmetic, type Contract } from '../../../src/core/contract.ts';
import { sha256Hex } from '../../../src/core/digest.ts';
import { contractId } from '../../../src/extract/contract.ts';
import { FORMATS } from '../../../src/extract/contracts/formats.ts';
import { presetContract } from '../../../src/extract/contracts/presets.ts';
import { decode, readHeader } from '../../../src/extract/image/decode.ts';
import { coveredPart, layGround, placement, resizeNearest } from '../../../src/extract/image/geometry.ts';
import { interpolate } from '../../../src/extract/image/interpolate.ts';
import { resample, type SmoothKernel } from '../../../src/extract/image/resample.ts';
import { differingBytes, toSharp, type Picture } from '../../support/pictures.ts';
import { goldenPicture } from './golden-pictures.ts';

interface Facts {
  /** SHA-256 of the RGB bytes that the library normalised; null where it resizes floats. */
  readonly pixels: string | null;
  /** Channel, row, column: values of the tensor that enters the network. */
  readonly grid: readonly (readonly (readonly number[])[])[];
}
const golden = JSON.parse(readFileSync(new URL('./golden.json', import.meta.url), 'utf8')) as {
  readonly pictures: Readonly<Record<string, readonly [number, number]>>;
  readonly cases: readonly {
    readonly name: string;
    readonly by: string;
    readonly file: string;
    readonly config: unknown;
    readonly pictures: Readonly<Record<string, Facts>>;
  }[];
  readonly interpolations: readonly {
    readonly picture: string;
    readonly kernel: SmoothKernel;
    readonly size: number;
    readonly pixels: string;
    /** Levels between torch's own of bytes and its result on floats, rounded. */
    readonly mostOfBytes: number;
    readonly meanOfBytes: number;
  }[];
};

const PICTURES: Readonly<Record<string, Picture>> = Object.fromEntries(
  Object.entries(golden.pictures).map(([name, [width, height]]) => [name, goldenPicture(width, height)]),
);
const GRID = [0.05, 0.5, 0.95];

function contractOfFile(file: string, config: unknown): Contract {
  return FORMATS.find((format) => format.file === file)!.read(file, config, undefined).contract;
}

/** The contract's square by our own Pillow-exact resize, without sharp. */
function squareOf(picture: Picture, contract: Contract): Uint8Array {
  const { size, kernel, pad } = contract;
  const place = placement(contract, picture.width, picture.height);
  const square = kernel === 'nearest' ? resizeNearest(picture, place, size) : resample(picture, place, size, kernel);
  if (pad !== undefined) layGround(square, size, coveredPart(place, size), pad);
  return square;
}

/** Values of the tensor that the network gets, at the points of the grid. */
function gridOf(square: Uint8Array, contract: Contract): number[][][] {
  const { mean, scale } = rgbArithmetic(contract);
  const at = GRID.map((part) => Math.trunc(part * contract.size));
  const channels = contract.channelOrder === 'RGB' ? [0, 1, 2] : [2, 1, 0];
  return channels.map((c) =>
    at.map((y) => at.map((x) => (square[(y * contract.size + x) * 3 + c]! - mean[c]!) * scale[c]!)),
  );
}

function mostDifference(a: readonly (readonly (readonly number[])[])[], b: typeof a): number {
  const [left, right] = [a.flat(2), b.flat(2)];
  expect(left).toHaveLength(right.length);
  return Math.max(...left.map((value, i) => Math.abs(value - right[i]!)));
}

/**
 * How far values may lie apart: the libraries' own arithmetic is float32, on values below 10. Floats that were never
 * rounded to bytes are rounded here twice, by half a level at most.
 */
const toleranceOf = ({ pixels }: Facts, { scale }: Contract): number =>
  pixels === null ? Math.max(...[scale].flat()) : 1e-5;

describe.each(golden.cases)("$name, by $by's $file,", ({ file, config, pictures }) => {
  const contract = contractOfFile(file, config);
  const shown = Object.entries(pictures);

  it.each(shown)('reads to the very bytes and numbers that the library makes of the %s picture', (name, facts) => {
    const square = squareOf(PICTURES[name]!, contract);
    if (facts.pixels !== null) expect(sha256Hex(square)).toBe(facts.pixels);
    expect(mostDifference(gridOf(square, contract), facts.grid)).toBeLessThan(toleranceOf(facts, contract));
  });

  it('decodes to these pixels, to the byte', async () => {
    for (const [name] of shown) {
      const picture = PICTURES[name]!;
      const png = await toSharp(picture).png().toBuffer();
      const decoded = await decode(png, await readHeader(png), contract);
      expect(differingBytes(decoded, squareOf(picture, contract))).toBe(0);
    }
  });

  it('would not read so with another geometry, edge, kernel, order of channels, mean or scale', () => {
    const { size, scale, mean } = contract;
    const others: readonly Contract[] = [
      { ...contract, geometry: contract.geometry === 'squash' ? 'cover-crop' : 'squash' },
      { ...contract, kernel: contract.kernel === 'bilinear' ? 'bicubic' : 'bilinear' },
      { ...contract, resize: (contract.resize ?? size) + 1 },
      { ...contract, channelOrder: contract.channelOrder === 'RGB' ? 'BGR' : 'RGB' },
      { ...contract, mean: [mean[0] + 1, mean[1], mean[2]] },
      {
        ...contract,
        scale: typeof scale === 'number' ? [scale, scale, scale * 1.05] : [scale[0], scale[1], scale[2] * 1.05],
      },
    ];
    for (const other of others) {
      const differs = shown.some(([name, facts]) => {
        const square = squareOf(PICTURES[name]!, other);
        const isOther = facts.pixels !== null && sha256Hex(square) !== facts.pixels;
        return isOther || mostDifference(gridOf(square, other), facts.grid) >= toleranceOf(facts, contract);
      });
      expect(differs, JSON.stringify(other)).toBe(true);
    }
  });
});

describe('the contracts of these files', () => {
  const contracts = golden.cases.map(({ name, file, config }) => [name, contractOfFile(file, config)] as const);

  it('are these, field by field', () => {
    const said = contracts
      .filter(([name]) => !name.endsWith('by default'))
      .map(([name, { size, geometry, resize, crop, pad, kernel, channelOrder, mean, scale }]) =>
        [
          `${name}: ${[geometry, resize, crop, pad?.join(' ')].filter(Boolean).join(' ')} ${size}`,
          `${kernel} ${channelOrder}`,
          `${mean.map((m) => m.toFixed(2)).join(' ')} / ${[scale]
            .flat()
            .map((s) => (1 / s).toFixed(2))
            .join(' ')}`,
        ].join(', '),
      );
    expect(said).toMatchInlineSnapshot(`
      [
        "google/vit-base-patch16-224: squash 224, bilinear RGB, 127.50 127.50 127.50 / 127.50",
        "google/vit-base-patch16-224, old: squash 224, bilinear RGB, 127.50 127.50 127.50 / 127.50",
        "openai/clip-vit-base-patch32: cover-crop floor 224, bicubic RGB, 122.77 116.75 104.09 / 68.50 66.63 70.32",
        "google/siglip-base-patch16-224: squash 224, bicubic RGB, 127.50 127.50 127.50 / 127.50",
        "facebook/convnext-tiny-224: cover-crop 256 floor 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "facebook/convnext-base-384: squash 384, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "facebook/dinov2-small: cover-crop 256 floor 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "apple/mobilevit-small: cover-crop 288 floor 256, bilinear BGR, 0.00 0.00 0.00 / 255.00",
        "google/efficientnet-b0: squash 224, nearest RGB, 123.67 116.28 103.53 / 58.39 57.12 57.37",
        "an EfficientNet with an offset, a crop and bicubic: squash 346 floor 289, bicubic RGB, 140.25 153.00 165.75 / 63.75 76.50 89.25",
        "microsoft/swin-tiny-patch4-window7-224: squash 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "facebook/deit-base-distilled-patch16-224: squash 256 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "microsoft/beit-base-patch16-224: squash 224, bilinear RGB, 127.50 127.50 127.50 / 127.50",
        "facebook/levit-128S: cover-crop 256 floor 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "sail/poolformer_s12: cover-crop 248 floor 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "google/mobilenet_v2_1.0_224: cover-crop 256 floor 224, bilinear RGB, 127.50 127.50 127.50 / 127.50",
        "a DINOv3: squash 224, bilinear RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "resnet50.a1_in1k: cover-crop 235 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "convnext_base.fb_in22k_ft_in1k_384: squash 384, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "a network that squashes around its crop: squash 248 224, bilinear RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "a network with a border: contain-pad 124 116 104 224, bicubic RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "a network with a border that is cropped: contain-pad 300 124 116 104 240, bilinear RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "inception_v3.tf_in1k: cover-crop 341 299, bicubic RGB, 127.50 127.50 127.50 / 127.50",
        "mobilenetv3 without a crop_pct: cover-crop 256 224, bilinear RGB, 123.67 116.28 103.53 / 58.40 57.12 57.37",
        "ViT-B-32 of immich: cover-crop 224, bicubic RGB, 122.77 116.75 104.09 / 68.50 66.63 70.32",
        "ViT-B-16-SigLIP of immich: squash 224, bicubic RGB, 127.50 127.50 127.50 / 127.50",
        "a network with a coloured border: contain-pad 128 128 128 224, bilinear RGB, 122.77 116.75 104.09 / 68.50 66.63 70.32",
      ]
    `);
  });

  it('are one contract where they mean the same, whoever wrote the file', () => {
    const ids = new Map(contracts.map(([name, contract]) => [name, contractId(contract)]));
    const same = (name: string) => [...ids].filter(([, id]) => id === ids.get(name)).map(([other]) => other);
    expect(same('ViT-B-16-SigLIP of immich')).toEqual([
      'google/siglip-base-patch16-224',
      'Siglip by default',
      'ViT-B-16-SigLIP of immich',
    ]);
    expect(ids.get('ViT-B-16-SigLIP of immich')).toBe(contractId(presetContract('siglip', 224)));
    expect(ids.get('ViT-B-32 of immich')).toBe(contractId(presetContract('clip', 224)));
    expect(ids.get('mobilenetv3 without a crop_pct')).toBe(contractId(presetContract('imagenet', 224)));
    expect(ids.get('inception_v3.tf_in1k')).toBe(contractId(presetContract('inception', 299)));
  });
});

describe('resizing without antialiasing', () => {
  it.each(golden.interpolations)(
    "with $kernel of the $picture picture to $size pixels gives torch's result on floats, rounded",
    ({ picture, kernel, size, pixels }) => {
      const place = { width: size, height: size, left: 0, top: 0 };
      expect(sha256Hex(interpolate(PICTURES[picture]!, place, size, kernel))).toBe(pixels);
      expect(sha256Hex(resample(PICTURES[picture]!, place, size, kernel))).not.toBe(pixels);
    },
  );

  it("is near to torch's own of bytes, which rounds and cuts off between the axes", () => {
    for (const { kernel, mostOfBytes, meanOfBytes } of golden.interpolations) {
      expect(mostOfBytes).toBeLessThanOrEqual(kernel === 'bilinear' ? 1 : 3);
      expect(meanOfBytes).toBeLessThan(0.25);
    }
  });

  it('is what a contract asks for, on pictures that shrink and that grow', async () => {
    const picture = PICTURES['wide']!;
    const png = await toSharp(picture).png().toBuffer();
    for (const size of [96, 400]) {
      const contract = { ...presetContract('siglip', size), antialias: false } as const;
      const place = { width: size, height: size, left: 0, top: 0 };
      const decoded = await decode(png, await readHeader(png), contract);
      expect(differingBytes(decoded, interpolate(picture, place, size, 'bicubic'))).toBe(0);
    }
  });

  it('has no lanczos', () => {
    const place = { width: 9, height: 9, left: 0, top: 0 };
    expect(() => interpolate(PICTURES['wide']!, place, 9, 'lanczos')).toThrow(/lanczos without antialiasing/);
  });
});
