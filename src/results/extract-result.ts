import type { Failure, Split } from '../core/sample.ts';

/** Cosines between the features of int8 and those of fp32, on images that int8 was not calibrated on. */
export interface CosineToFp32 {
  readonly images: number;
  readonly min: number;
  readonly mean: number;
}

export interface EngineFacts {
  readonly name: string;
  readonly device: string;
  readonly precision: string;
  readonly version: string;
}

/**
 * Where an extraction's time went, in seconds. load (the network), wait (nothing in the network, pixels are late), infer and write exclude
 * each other and sum up to the whole; read and decode are sums over the images, done beside the others.
 */
export interface StageSeconds {
  readonly load: number;
  readonly wait: number;
  readonly infer: number;
  readonly write: number;
  readonly read: number;
  readonly decode: number;
}

/** The augmented views of the training images that were extracted beside the images themselves. */
export interface ViewsExtracted {
  /** Views of each training image. */
  readonly count: number;
  readonly seed: number;
  /** How far they go, by name (docs/views.md). */
  readonly plan: Readonly<Record<string, number | boolean>>;
  /** Over all views. */
  readonly extracted: number;
  readonly reused: number;
  /** Why stored views did not serve, where there were some; otherwise null. */
  readonly extractedBecause: string | null;
}

export interface ExtractResult {
  readonly dataset: string;
  readonly store: string;
  /** Images in the data set: extracted + reused + failed. */
  readonly images: number;
  readonly extracted: number;
  readonly reused: number;
  /** Those of `reused` whose size and times told that they are as they were: they were not read. */
  readonly unread: number;
  readonly failed: readonly Failure[];
  /** Why stored features did not serve, where there were some; otherwise null. */
  readonly extractedBecause: string | null;
  /** Null where none were asked for. */
  readonly views: ViewsExtracted | null;
  readonly engine: EngineFacts;
  /** Of int8 alone. */
  readonly cosineToFp32: CosineToFp32 | null;
  /** Name of the preprocessing contract, and its id (name and digest of all its fields). */
  readonly contract: string;
  readonly contractId: string;
  /** The cuts with their poolings, the deepest first, as --cut takes them. */
  readonly cut: string;
  readonly dtype: string;
  readonly weights: string;
  readonly classes: readonly string[];
  readonly splits: Readonly<Partial<Record<Split, number>>>;
  readonly warnings: readonly string[];
  /** `load` is the time that the network took to load (0 where nothing was extracted); `extract` is all the rest of the extraction. */
  readonly seconds: Readonly<{ load: number; extract: number; train?: number }>;
  readonly trace: StageSeconds;
}
