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

export const POOLINGS = ['flatten', 'avg', 'max', 'gem'] as const;
/**
 * Features of a cut layer: the whole map (h x w x channels numbers), or of each channel its mean, maximum or generalised
 * mean over the picture (pooling.ts).
 */
export type Pooling = (typeof POOLINGS)[number];

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
  readonly rows: readonly (Sample & ImageFacts)[];
  readonly features: ReadonlyMap<Pooling, Matrix>;
}

/** An image that gave no features, and why. */
export interface Failure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly reason: string;
}
