import type { ErrorCode } from './errors.ts';
import type { Matrix } from './matrix.ts';

export const SPLITS = ['train', 'val', 'test'] as const;
/** Where an image belongs: heads train on `train` and are measured on `val`, or on `test` where it has none. */
export type Split = (typeof SPLITS)[number];

/** One image of a data set. `path` is relative to the data set's root, with forward slashes; labels are names. */
export interface Sample {
  readonly path: string;
  readonly label: string;
  readonly split: Split;
}

/** What reading an image's file tells about it. Width and height in pixels as stored, before orientation. */
export interface ImageFacts {
  /** Lower-case hex SHA-256 of the file's bytes. */
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8; 1 where the file states none. */
  readonly orientation: number;
}

export const POOLINGS = ['flatten', 'avg', 'max', 'gem', 'cls'] as const;
/**
 * Features of a cut layer: the whole map (h x w x channels numbers), or of each channel its mean, maximum or
 * generalised mean over the picture (generalisedMeans); `cls` is the class token of a list of tokens, whose means and
 * maxima are over the patches.
 */
export type Pooling = (typeof POOLINGS)[number];

/** What an extraction keeps where it is not told: `gem` is made of the map that is kept. */
export const DEFAULT_POOLINGS = ['flatten', 'avg', 'max'] as const satisfies readonly Pooling[];

/** A pooling, or `avg+max`: both side by side, of what is stored for each. */
export type PoolingChoice = Pooling | 'avg+max';
/** What features of one cut can be chosen by a single name. */
export const POOLING_CHOICES = [...POOLINGS, 'avg+max'] as const satisfies readonly PoolingChoice[];

/** The poolings that stand side by side in a choice. */
export const poolingsIn = (choice: PoolingChoice): readonly Pooling[] => choice.split('+') as Pooling[];

/** Numbers an image that a cut has in each pooling; in `gem` and `cls` as many as in `avg`. */
export type PoolingWidths = Readonly<Record<'flatten' | 'avg' | 'max', number>>;

export const widthOf = (widths: PoolingWidths, pooling: Pooling): number =>
  widths[pooling === 'gem' || pooling === 'cls' ? 'avg' : pooling];

/** The features of one cut layer, pooled in one way: heads train on one part, or on several side by side. */
export interface FeaturePart {
  readonly cut: string;
  readonly pooling: Pooling;
}

/**
 * Features of some images at one cut. `features` has one matrix per pooling, shape (rows.length, width), row i for
 * rows[i]; flatten is the cut's activation in NHWC order, as Keras' Flatten gives it.
 */
export interface FeatureBatch {
  readonly rows: readonly (Pick<Sample, 'path'> & ImageFacts)[];
  readonly features: ReadonlyMap<Pooling, Matrix>;
}

/** An image that gave no features, and why. */
export interface Failure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** The exponent of `gem`, and the least value that it takes: those of Radenovic, Tolias and Chum 2018. */
export const GEM = { exponent: 3, least: 1e-6 } as const;

/**
 * The generalised mean of each channel of a map in NHWC order, mean(max(x, 1e-6)^3)^(1/3) summed in float64, into
 * out[at] ... (Radenovic, Tolias and Chum 2018, equation 3).
 */
export function generalisedMeans(map: Float32Array, channels: number, out: Float32Array, at = 0): void {
  const sums = new Float64Array(channels);
  for (let from = 0; from < map.length;) {
    for (let c = 0; c < channels; c++, from++) {
      const value = Math.max(map[from]!, GEM.least);
      sums[c]! += value * value * value;
    }
  }
  for (let c = 0; c < channels; c++) out[at + c] = Math.cbrt((sums[c]! * channels) / map.length);
}
