import * as z from 'zod';
import type { Contract, Rgb } from '../../core/contract.ts';
import { AS_SEEN, contractArithmetic } from './canonical.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { contractOf } from './presets.ts';
import { average, eachChannel, factor, side, withoutNulls } from './written-values.ts';

const inputSize = z.tuple([z.number(), side, side]);
const fraction = z.number().min(0.1).max(1);

/** What timm's resolve_data_config reads; no other key of a pretrained_cfg changes a pixel. */
const pretrainedSchema = z.looseObject({
  input_size: inputSize,
  test_input_size: inputSize.optional(),
  crop_pct: fraction.optional(),
  test_crop_pct: fraction.optional(),
  crop_mode: z.enum(['center', 'squash', 'border']).optional(),
  interpolation: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']).optional(),
  mean: eachChannel(average).optional(),
  std: eachChannel(factor).optional(),
});

const GEOMETRIES = { center: 'cover-crop', squash: 'squash', border: 'contain-pad' } as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a config.json is timm's; transformers writes one too, which says nothing of preprocessing. */
export const isTimmConfig = (json: unknown): boolean =>
  isObject(json) &&
  typeof json['architecture'] === 'string' &&
  (isObject(json['pretrained_cfg']) || 'input_size' in json);

/**
 * The contract of timm's config.json: its transforms of evaluation, on Pillow's images. `size` is the side that the
 * network's input has, where it has one: of the sizes of training and of test that one counts. Throws CONTRACT_INVALID.
 */
export function contractFromTimm(source: string, json: unknown, size: number | undefined): Contract {
  // Files of before 2023 have its fields at the top.
  const outer = Object(json) as Record<string, unknown>;
  const config = checked(source, pretrainedSchema, withoutNulls(outer['pretrained_cfg'] ?? outer));
  const { input_size: trained, test_input_size: tested, mean, std } = config;
  const isTest = tested !== undefined && size === tested[1] && size !== trained[1];
  const [channels, height, width] = isTest ? tested : trained;
  const field = isTest ? 'test_input_size' : 'input_size';
  if (channels !== 3) throw contractInvalid(source, field, trained, 'permafrost reads images of three channels');
  if (height !== width)
    throw contractInvalid(source, field, [channels, height, width], 'permafrost reads squares alone');
  const cropped = (isTest ? config.test_crop_pct : undefined) ?? config.crop_pct ?? 0.875;
  const geometry = GEOMETRIES[config.crop_mode ?? 'center'];
  const means: Rgb = mean ?? [0.485, 0.456, 0.406];
  return contractOf({
    size: height,
    geometry,
    resize: Math.floor(height / cropped),
    ...(geometry === 'contain-pad' && { pad: levels(means) }),
    kernel: config.interpolation ?? 'bilinear',
    ...AS_SEEN,
    channelOrder: 'RGB',
    ...contractArithmetic({ rescale: 1 / 255, mean: means, std: std ?? [0.229, 0.224, 0.225] }),
  });
}

/** timm lays pictures on the mean of the colours. */
const levels = ([r, g, b]: Rgb): Rgb => [Math.round(r * 255), Math.round(g * 255), Math.round(b * 255)];
