import * as z from 'zod';
import type { Contract } from '../../core/contract.ts';
import { AS_SEEN, contractArithmetic, type ContractFields } from './canonical.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { contractOf } from './presets.ts';
import { eachChannel, side } from './written-values.ts';
import { PROCESSORS, type Processor } from './transformers-processors.ts';

const sides = z.union([side, z.strictObject({ shortest_edge: side }), z.strictObject({ height: side, width: side })]);
type Sides = z.infer<typeof sides>;

/** What the image processors below read. In older files a side is a bare number, and a class a "feature extractor". */
const schema = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: sides.nullish(),
  default_to_square: z.boolean().nullish(),
  resample: z.number().int().nullish(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: sides.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  include_top: z.boolean().nullish(),
  image_mean: eachChannel(z.number()).nullish(),
  image_std: eachChannel(z.number().positive()).nullish(),
});
type Config = z.infer<typeof schema>;

/** Keys that change no pixel of a photograph: how tensors are handed over, labels, and that pictures become RGB. */
const WITHOUT_EFFECT = [
  'processor_class',
  'data_format',
  'input_data_format',
  'return_tensors',
  'device',
  'disable_grouping',
  'model_input_names',
  '_valid_processor_keys',
  'do_convert_rgb',
  'do_reduce_labels',
  'reduce_labels',
  // What PoolFormer's processor had before do_resize and do_center_crop.
  'do_resize_and_center_crop',
];

/** Keys that some processors read and others pass over. */
const OF_SOME = ['crop_pct', 'do_flip_channel_order', 'rescale_offset', 'include_top'] as const;

/** Pillow's numbers of its filters. */
const KERNELS: Readonly<Record<number, Contract['kernel']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};

/**
 * The contract of a preprocessor_config.json: what transformers' image processor of that class does to an image by
 * Pillow. What the file does not say the class does. Throws CONTRACT_INVALID for what permafrost does not do.
 */
export function contractFromTransformers(source: string, json: unknown): Contract {
  const config = checked(source, schema, json);
  const refuse = (field: string, value: unknown, because: string): never => {
    throw contractInvalid(source, field, value, because);
  };
  const [name, processor] = processorOf(config, refuse);
  for (const [key, value] of Object.entries(config)) {
    const isRead = Object.hasOwn(schema.shape, key) || WITHOUT_EFFECT.includes(key);
    if (!isRead && value !== null && value !== false) refuse(key, value, 'permafrost does not know what it changes');
  }
  for (const key of OF_SOME)
    if (config[key] != null && config[key] !== false && !(processor.reads ?? []).includes(key))
      refuse(key, config[key], `transformers' ${name} takes no notice of it, so what was meant is not clear`);
  if (config.do_resize === false) refuse('do_resize', false, 'every picture would have a size of its own');
  const resample = config.resample ?? processor.resample;
  const kernel = KERNELS[resample] ?? refuse('resample', resample, "of Pillow's filters 0, 1, 2 and 3 are there");
  return contractOf({
    ...geometryOf(config, processor, refuse),
    kernel,
    ...AS_SEEN,
    channelOrder: (config.do_flip_channel_order ?? processor.isFlipped) === true ? 'BGR' : 'RGB',
    ...arithmeticOf(config, processor, refuse),
  });
}

type Refuse = (field: string, value: unknown, because: string) => never;

function processorOf(config: Config, refuse: Refuse): [name: string, processor: Processor] {
  const field = config.image_processor_type == null ? 'feature_extractor_type' : 'image_processor_type';
  const name = config[field];
  if (name == null)
    return refuse('image_processor_type', undefined, 'without the class nobody knows what the file leaves out');
  const stem = name.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '');
  const processor = Object.hasOwn(PROCESSORS, stem) ? PROCESSORS[stem] : undefined;
  return processor === undefined
    ? refuse(field, name, `permafrost knows the image processors of ${Object.keys(PROCESSORS).join(', ')}`)
    : [name, processor];
}

/** Side of a square that a file states; refused where it is none. */
function squareOf(field: string, sizes: Sides, refuse: Refuse): number {
  if (typeof sizes === 'number') return sizes;
  if ('shortest_edge' in sizes) return sizes.shortest_edge;
  return sizes.height === sizes.width ? sizes.height : refuse(field, sizes, 'permafrost reads squares alone');
}

function geometryOf(
  config: Config,
  processor: Processor,
  refuse: Refuse,
): Pick<ContractFields, 'size' | 'geometry' | 'resize' | 'crop'> {
  const sizes = config.size ?? processor.size;
  const edge = squareOf('size', sizes, refuse);
  const isSquare = typeof sizes === 'number' ? (config.default_to_square ?? processor.isSquare) : 'height' in sizes;
  const { resizing = 'plain' } = processor;
  const cropPct = config.crop_pct ?? processor.cropPct;

  if (resizing === 'convnext') {
    if (isSquare) refuse('size', sizes, 'this class reads shortest_edge alone');
    return edge >= 384
      ? { size: edge, geometry: 'squash' }
      : { size: edge, geometry: 'cover-crop', resize: Math.trunc(edge / cropPct!), crop: 'floor' };
  }
  const isWhole = isSquare && resizing !== 'poolformer';
  const resize =
    resizing === 'poolformer'
      ? Math.trunc(edge / cropPct!)
      : resizing === 'levit' && !isSquare
        ? Math.trunc((256 / 224) * edge)
        : edge;
  const geometry = isWhole ? 'squash' : 'cover-crop';
  if (!(config.do_center_crop ?? processor.crop !== undefined)) {
    return isWhole
      ? { size: resize, geometry }
      : refuse('do_center_crop', false, 'pictures of other shapes than squares would stay so');
  }
  const size = squareOf('crop_size', config.crop_size ?? processor.crop ?? edge, refuse);
  if (size > resize)
    refuse('crop_size', config.crop_size, `it is larger than the picture of ${resize} pixels that it is cut out of`);
  return { size, geometry, resize, crop: 'floor' };
}

function arithmeticOf(config: Config, processor: Processor, refuse: Refuse): Pick<ContractFields, 'mean' | 'scale'> {
  const isRescaled = config.do_rescale ?? true;
  const rescale = isRescaled ? (config.rescale_factor ?? 1 / 255) : 1;
  const isOffset = isRescaled && config.rescale_offset === true;
  // Versions of transformers disagree where it is another: (pixel - 127.5) * factor, or pixel * factor - 1.
  if (isOffset && Math.abs(rescale * 127.5 - 1) > 1e-6)
    refuse('rescale_factor', rescale, 'with rescale_offset it is read in two ways unless it is 1 / 127.5');
  const isNormalized = config.do_normalize ?? processor.normalizes ?? true;
  const std = config.image_std ?? processor.std;
  const again = (config.include_top ?? processor.includesTop) === true;
  const [a, b, c] = isNormalized ? std : ([1, 1, 1] as const);
  return contractArithmetic({
    rescale,
    offset: isOffset ? -1 : 0,
    mean: isNormalized ? (config.image_mean ?? processor.mean) : [0, 0, 0],
    // The top of EfficientNet was trained on what is divided twice.
    std: again ? [a * std[0], b * std[1], c * std[2]] : [a, b, c],
  });
}
