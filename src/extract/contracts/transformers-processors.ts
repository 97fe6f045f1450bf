import type { Rgb } from '../../core/contract.ts';

/** How an image processor of transformers works where its file says nothing; what is absent the file must say. */
export interface Processor {
  readonly size?: { readonly shortest_edge: number } | { readonly height: number; readonly width: number };
  /** Whether a bare number is the side of a square; else it is the shorter side. */
  readonly isSquare?: boolean;
  /** Pillow's number of the filter: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic. */
  readonly resample?: number;
  /** Side of the centre crop; absent where none is made. */
  readonly crop?: number | 'unknown';
  /** How the size is meant, where it is not simply scaled to. */
  readonly resizing?: 'convnext' | 'levit' | 'poolformer';
  /** The part of a picture's side that is kept, by which the size is divided before the crop. */
  readonly cropPct?: number;
  readonly mean?: Rgb;
  readonly std?: Rgb;
  /** `false` for a class that never does. */
  readonly normalizes?: false;
  readonly isFlipped?: true;
  readonly includesTop?: true;
  /** Keys beside those that every processor reads. */
  readonly reads?: readonly ('crop_pct' | 'do_flip_channel_order' | 'rescale_offset' | 'include_top')[];
}

const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const OPENAI = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] } as const;

const square = (side: number) => ({ size: { height: side, width: side }, isSquare: true }) as const;
const shortest = (side: number) => ({ size: { shortest_edge: side }, isSquare: false }) as const;

const CLIP: Processor = { ...shortest(224), resample: 3, crop: 224, ...OPENAI };

/**
 * By the name of the class without "ImageProcessor": its defaults. Where versions 4 and 5 have different ones there is
 * none here, and the file must say.
 */
export const PROCESSORS: Readonly<Record<string, Processor>> = {
  Beit: { isSquare: true, resample: 3, crop: 'unknown', ...HALF },
  Bit: CLIP,
  Blip: { ...square(384), resample: 3, ...OPENAI },
  ChineseCLIP: CLIP,
  CLIP,
  ConvNext: { ...shortest(384), resample: 3, resizing: 'convnext', cropPct: 224 / 256, ...HALF, reads: ['crop_pct'] },
  DeiT: { ...square(256), resample: 3, crop: 224, ...HALF },
  // It rescales before it resizes, in floats: half a level of difference.
  DINOv3ViT: { ...square(224), resample: 2, ...IMAGENET },
  EfficientNet: { ...square(346), ...HALF, includesTop: true, reads: ['rescale_offset', 'include_top'] },
  Levit: { ...shortest(224), resample: 3, crop: 224, resizing: 'levit', ...IMAGENET },
  MobileNetV1: { ...shortest(256), resample: 2, crop: 224, ...HALF },
  MobileNetV2: { ...shortest(256), resample: 2, crop: 224, ...HALF },
  MobileViT: { ...shortest(224), crop: 256, normalizes: false, isFlipped: true, reads: ['do_flip_channel_order'] },
  PoolFormer: {
    ...shortest(224),
    resample: 3,
    crop: 224,
    resizing: 'poolformer',
    cropPct: 0.9,
    ...IMAGENET,
    reads: ['crop_pct'],
  },
  Pvt: { ...square(224), ...IMAGENET },
  Segformer: { ...square(512), resample: 2, ...IMAGENET },
  Siglip: { size: { height: 224, width: 224 }, resample: 3, ...HALF },
  ViT: { ...square(224), resample: 2, ...HALF },
};
