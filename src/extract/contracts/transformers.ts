import * as z from 'zod';
import type { Contract } from '../../core/contract.ts';
import { AS_SEEN, contractArithmetic, type ContractFields } from './canonical.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { contractOf } from './presets.ts';
import { average, eachChannel, factor, side, withoutNulls } from './written-values.ts';
import { PROCESSORS, type Processor } from './transformers-processors.ts';

const sides = z.union(
  [side, z.strictObject({ shortest_edge: side }), z.strictObject({ height: side, width: side })],
  'a side, shortest_edge, or height and width are there',
);
type Sides = z.infer<typeof sides>;

/** What the image processors below read. In older files a side is a bare number, and a class a "feature extractor". */
const schema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().optional(),
  size: sides.optional(),
  default_to_square: z.boolean().optional(),
  resample: z.number().int().optional(),
  crop_pct: z.number().min(0.1).max(1).optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: sides.optional(),
  do_flip_channel_order: z.boolean().optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: factor.optional(),
  rescale_offset: z.boolean().optional(),
  do_normalize: z.boolean().optional(),
  include_top: z.boolean().optional(),
  image_mean: eachChannel(average).optional(),
  image_std: eachChannel(factor).optional(),
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

const VERSIONS_DIFFER = 'versions of transformers disagree about what that means';

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
  const config = checked(source, schema, withoutNulls(json));
  const refuse = (field: string, value: unknown, because: string): never => {
    throw contractInvalid(source, field, value, because);
  };
  const [name, processor] = processorOf(config, refuse);
  for (const [key, value] of Object.entries(config)) {
    const isRead = Object.hasOwn(schema.shape, key) || WITHOUT_EFFECT.includes(key);
    if (!isRead && value !== false) refuse(key, value, 'permafrost does not know what it changes');
  }
  for (const key of OF_SOME)
    if (config[key] !== undefined && config[key] !== false && !(processor.reads ?? []).includes(key))
      refuse(key, config[key], `transformers' ${name} takes no notice of it, so what was meant is not clear`);
  if (config.do_resize === false) refuse('do_resize', false, 'every picture would have a size of its own');
  const resample = config.resample ?? processor.resample ?? refuse('resample', undefined, VERSIONS_DIFFER);
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
  const field = config.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type';
  const name = config[field];
  if (name === undefined)
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

type Geometry = Pick<ContractFields, 'size' | 'geometry' | 'resize' | 'crop'>;

function geometryOf(config: Config, processor: Processor, refuse: Refuse): Geometry {
  const sizes: Sides = config.size ?? processor.size ?? refuse('size', undefined, VERSIONS_DIFFER);
  const edge = squareOf('size', sizes, refuse);
  const isSquare =
    typeof sizes === 'number'
      ? (config.default_to_square ?? processor.isSquare ?? refuse('size', sizes, VERSIONS_DIFFER))
      : 'height' in sizes;
  const cropPct = config.crop_pct ?? processor.cropPct ?? 1;
  const cropSide = croppedTo(config, processor, refuse);
  const { resizing } = processor;

  if (resizing === 'convnext') {
    if (isSquare) refuse('size', sizes, 'this class reads shortest_edge alone');
    if (cropSide !== undefined && cropSide !== edge) refuse('crop_size', config.crop_size, VERSIONS_DIFFER);
    return edge >= 384
      ? { size: edge, geometry: 'squash' }
      : { size: edge, geometry: 'cover-crop', resize: Math.trunc(edge / cropPct), crop: 'floor' };
  }
  const isWhole = isSquare && resizing !== 'poolformer';
  const geometry = isWhole ? 'squash' : 'cover-crop';
  const resize =
    isWhole || resizing === undefined ? edge : Math.trunc(resizing === 'levit' ? (256 / 224) * edge : edge / cropPct);
  if (cropSide === undefined && !isWhole)
    refuse('do_center_crop', config.do_center_crop, 'pictures that are no squares would stay so');
  const size = cropSide ?? resize;
  if (size > resize)
    refuse('crop_size', config.crop_size, `it is larger than the picture of ${resize} pixels that it is cut out of`);
  return { size, geometry, resize, crop: 'floor' };
}

/** Side of the centre crop; undefined where none is made. */
function croppedTo(config: Config, { crop }: Processor, refuse: Refuse): number | undefined {
  if (config.do_center_crop === false) return undefined;
  if (config.do_center_crop === undefined) {
    if (crop === undefined) return undefined;
    if (crop === 'unknown') refuse('do_center_crop', config.do_center_crop, VERSIONS_DIFFER);
  }
  const sizes = config.crop_size ?? (crop === 'unknown' ? undefined : crop);
  return squareOf('crop_size', sizes ?? refuse('crop_size', undefined, VERSIONS_DIFFER), refuse);
}

function arithmeticOf(config: Config, processor: Processor, refuse: Refuse): Pick<ContractFields, 'mean' | 'scale'> {
  const isRescaled = config.do_rescale ?? true;
  const rescale = isRescaled ? (config.rescale_factor ?? 1 / 255) : 1;
  const isOffset = isRescaled && config.rescale_offset === true;
  if (isOffset && Math.abs(rescale * 127.5 - 1) > 1e-6)
    // (pixel - 127.5) * factor, or pixel * factor - 1.
    refuse('rescale_factor', rescale, `with rescale_offset ${VERSIONS_DIFFER}, unless it is 1 / 127.5`);
  if (processor.normalizes === false && config.do_normalize === true)
    refuse('do_normalize', true, 'transformers takes no notice of it, so what was meant is not clear');
  const isNormalized = processor.normalizes ?? config.do_normalize ?? true;
  const mean = config.image_mean ?? processor.mean ?? NO_MEAN;
  const std = config.image_std ?? processor.std ?? ONES;
  // The top of EfficientNet was trained on what is divided twice.
  const again = (config.include_top ?? processor.includesTop) === true ? std : ONES;
  const once = isNormalized ? std : ONES;
  return contractArithmetic({
    rescale,
    offset: isOffset ? -1 : 0,
    mean: isNormalized ? mean : NO_MEAN,
    std: [once[0] * again[0], once[1] * again[1], once[2] * again[2]],
  });
}

const NO_MEAN = [0, 0, 0] as const;
const ONES = [1, 1, 1] as const;
