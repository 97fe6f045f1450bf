import * as z from 'zod';
import type { Contract, Rgb } from '../../core/contract.ts';
import { AS_SEEN, contractArithmetic } from './canonical.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { contractOf } from './presets.ts';
import { average, eachChannel, factor, level, side, withoutNulls } from './written-values.ts';

const size = z.union([side, z.tuple([side, side])]);

/** open_clip's PreprocessCfg: all of it. */
const preprocessSchema = z.strictObject({
  size: size.optional(),
  mode: z.literal('RGB').optional(),
  mean: eachChannel(average).optional(),
  std: eachChannel(factor).optional(),
  interpolation: z.enum(['bicubic', 'bilinear', 'random']).optional(),
  resize_mode: z.enum(['shortest', 'longest', 'squash']).optional(),
  fill_color: eachChannel(level).optional(),
});

const GEOMETRIES = { shortest: 'cover-crop', longest: 'contain-pad', squash: 'squash' } as const;

/** What open_clip takes where a file says nothing. */
const DEFAULTS = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const satisfies Record<string, Rgb>;

/** The contract of a preprocess_cfg.json: open_clip's transforms of evaluation. Throws CONTRACT_INVALID. */
export function contractFromOpenClip(source: string, json: unknown): Contract {
  const config = checked(source, preprocessSchema, withoutNulls(json));
  const given = config.size ?? 224;
  const [height, width] = typeof given === 'number' ? [given, given] : given;
  if (height !== width) throw contractInvalid(source, 'size', given, 'permafrost reads squares alone');
  const geometry = GEOMETRIES[config.resize_mode ?? 'shortest'];
  return contractOf({
    size: height,
    geometry,
    ...(geometry === 'contain-pad' && config.fill_color !== undefined && { pad: config.fill_color }),
    // "random" is for training; open_clip evaluates it as bicubic.
    kernel: config.interpolation === 'bilinear' ? 'bilinear' : 'bicubic',
    ...AS_SEEN,
    channelOrder: 'RGB',
    ...contractArithmetic({ rescale: 1 / 255, mean: config.mean ?? DEFAULTS.mean, std: config.std ?? DEFAULTS.std }),
  });
}

const modelSchema = z.looseObject({
  model_cfg: z.looseObject({ vision_cfg: z.looseObject({ image_size: size.optional() }) }).optional(),
  preprocess_cfg: z.looseObject({}).optional(),
});

/** The contract of an open_clip_config.json, whose image size stands with the model. Throws CONTRACT_INVALID. */
export function contractFromOpenClipModel(source: string, json: unknown): Contract {
  const { model_cfg: model, preprocess_cfg: preprocess } = checked(source, modelSchema, json);
  return contractFromOpenClip(`${source}, preprocess_cfg`, { size: model?.vision_cfg.image_size, ...preprocess });
}
