import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractSchema } from '../../../src/core/contract-schema.ts';
import { FORMATS } from '../../../src/extract/contracts/formats.ts';
import { contractFromOpenClip } from '../../../src/extract/contracts/open-clip.ts';
import { contractFromTimm } from '../../../src/extract/contracts/timm.ts';
import { contractFromTransformers } from '../../../src/extract/contracts/transformers.ts';

const VIT = { image_processor_type: 'ViTImageProcessor', size: { height: 224, width: 224 } };
const CLIP = {
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
};
const OF_TIMM = { input_size: [3, 224, 224], crop_pct: 0.875 };

function refusalOf(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONTRACT_INVALID' });
    return error as Error;
  }
  throw new Error('it was not refused');
}

describe('a preprocessor_config.json that permafrost cannot follow', () => {
  it.each([
    ['do_pad is true', { ...VIT, do_pad: true }],
    ['size_divisor is 32', { ...VIT, size_divisor: 32 }],
    ['do_thumbnail is true', { ...VIT, do_thumbnail: true }],
    ['resample is 4', { ...VIT, resample: 4 }],
    ['size is {"height":224,"width":160}', { ...VIT, size: { height: 224, width: 160 } }],
    ['size is {"longest_edge":224}', { ...VIT, size: { longest_edge: 224 } }],
    ['do_resize is false', { ...VIT, do_resize: false }],
    ['crop_pct is 0.9', { ...VIT, crop_pct: 0.9 }],
    ['include_top is true', { ...VIT, include_top: true }],
    ['image_processor_type is "SamImageProcessor"', { ...VIT, image_processor_type: 'SamImageProcessor' }],
    ['image_processor_type is missing', { size: 224, do_resize: true }],
    ['auto_map is', { ...VIT, auto_map: { AutoImageProcessor: 'processing.Mine' } }],
    ['image_std.1 is 0', { ...VIT, image_std: [1, 0, 1] }],
    ['do_center_crop is false', { ...CLIP, do_center_crop: false }],
    ['crop_size is {"height":256,"width":256}', { ...CLIP, crop_size: { height: 256, width: 256 } }],
    ['size is {"height":224,"width":224}', { ...VIT, image_processor_type: 'ConvNextImageProcessor' }],
    ['resample is missing', { image_processor_type: 'PvtImageProcessor' }],
    ['do_center_crop is missing', { image_processor_type: 'BeitImageProcessor', size: { height: 224, width: 224 } }],
    ['size is 224', { image_processor_type: 'SiglipImageProcessor', size: 224 }],
    [
      'do_normalize is true',
      {
        image_processor_type: 'MobileViTImageProcessor',
        resample: 2,
        size: { shortest_edge: 288 },
        do_normalize: true,
      },
    ],
    ['rescale_factor is', { image_processor_type: 'EfficientNetImageProcessor', resample: 3, rescale_offset: true }],
  ])('is refused: %s', (told, json) => {
    const { message } = refusalOf(() => contractFromTransformers('model/preprocessor_config.json', json));
    expect(message).toContain(`model/preprocessor_config.json: ${told}`);
    expect(message).toContain('--contract');
  });

  it('is followed where a key changes nothing: labels, tensors, what is off', () => {
    const more = {
      do_pad: false,
      size_divisor: null,
      return_tensors: 'pt',
      data_format: 'channels_first',
      do_convert_rgb: true,
    };
    expect(contractFromTransformers('', { ...VIT, ...more })).toEqual(contractFromTransformers('', VIT));
  });
});

describe("timm's config.json that permafrost cannot follow", () => {
  it.each([
    ['interpolation is "hamming"', { interpolation: 'hamming' }],
    ['crop_mode is "random"', { crop_mode: 'random' }],
    ['input_size is [1,224,224]', { input_size: [1, 224, 224] }],
    ['input_size is [3,224,160]', { input_size: [3, 224, 160] }],
    ['input_size is missing', { input_size: undefined }],
    ['crop_pct is 0', { crop_pct: 0 }],
  ])('is refused: %s', (told, change) => {
    const json = { architecture: 'resnet50', pretrained_cfg: { ...OF_TIMM, ...change } };
    expect(refusalOf(() => contractFromTimm('config.json', json, undefined)).message).toContain(`config.json: ${told}`);
  });

  it('of before 2023 has its fields at the top, and is read the same', () => {
    const old = { architecture: 'resnet50', num_classes: 1000, ...OF_TIMM };
    expect(contractFromTimm('', old, undefined)).toEqual(
      contractFromTimm('', { architecture: 'resnet50', pretrained_cfg: OF_TIMM }, undefined),
    );
  });
});

describe('a description of any content', () => {
  const golden = JSON.parse(readFileSync(new URL('./golden.json', import.meta.url), 'utf8')) as {
    readonly cases: readonly { readonly file: string; readonly config: object }[];
  };
  const backbone = {
    permafrost: 'backbone/1',
    graph: { file: 'a.onnx', sha256: '0'.repeat(64), input: 'x', layout: 'NCHW', dtype: 'uint8' },
    contract: { size: 9, geometry: 'squash', kernel: 'nearest', channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 },
    cuts: { a: { tensor: 'b', axes: 'tokens', prefix: 1 } },
  };
  const real = [...golden.cases, { file: 'backbone.json', config: backbone }];

  /** The same JSON with one of its values, at any depth, in exchange for another. */
  function changed(json: unknown, at: number, value: unknown): unknown {
    let left = at;
    return JSON.parse(JSON.stringify(json, (_key, inner: unknown) => (left-- === 0 ? value : inner)) ?? 'null');
  }

  it('is read to a contract that can be kept, or refused with CONTRACT_INVALID, and nothing else happens', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...real),
        fc.nat(40),
        fc.jsonValue({ maxDepth: 3 }),
        ({ file, config }, at, value) => {
          const format = FORMATS.find((one) => one.file === file)!;
          try {
            const { contract } = format.read(file, changed(config, at, value), undefined);
            expect(contractSchema.parse(contract)).toEqual(contract);
          } catch (error) {
            expect(error).toMatchObject({ code: 'CONTRACT_INVALID' });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each(FORMATS.map((format) => [format.file ?? 'a contract', format] as const))(
    'is refused as %s where it is something else altogether',
    (name, { read }) => {
      fc.assert(
        fc.property(fc.jsonValue(), (json) => {
          try {
            // An open_clip description may leave everything out.
            expect(read(name, json, undefined).contract.name).toBe('clip');
          } catch (error) {
            expect(error).toMatchObject({ code: 'CONTRACT_INVALID' });
          }
        }),
      );
    },
  );
});

describe('a preprocess_cfg.json that permafrost cannot follow', () => {
  it.each([
    ['resize_mode is "crop"', { resize_mode: 'crop' }],
    ['mode is "L"', { mode: 'L' }],
    ['size is [224,160]', { size: [224, 160] }],
    ['sharpen is true', { sharpen: true }],
  ])('is refused: %s', (told, json) => {
    expect(refusalOf(() => contractFromOpenClip('preprocess_cfg.json', json)).message).toContain(
      `preprocess_cfg.json: ${told}`,
    );
  });
});
