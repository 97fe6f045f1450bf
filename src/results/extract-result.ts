import type { Failure, Split } from '../core/sample.ts';
import type { CosineToFp32 } from '../extract/agreement.ts';
import type { StageSeconds } from '../extract/stage-clock.ts';

export type { CosineToFp32 } from '../extract/agreement.ts';
export type { StageSeconds } from '../extract/stage-clock.ts';

/** What made some features. */
export interface EngineFacts {
  readonly name: string;
  readonly device: string;
  readonly precision: string;
  readonly version: string;
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

/** An image that is one colour under the contract of its extraction. */
export interface OneColourImage {
  readonly path: string;
  /** 0 to 255 each. */
  readonly rgb: readonly [number, number, number];
}

/** Features of a tuned network that were brought into a store. */
export interface TunedExtracted {
  /** Names their set: --backbone-file takes it, as it takes the file of the network. */
  readonly fingerprint: string;
  /** The first layer that was tuned. */
  readonly from: string;
  /** Those of `extracted` that were made of stored activations, without reading the images. */
  readonly fromMaps: number;
}

/** What was extracted of one of the further networks of an extraction. */
export interface NetworkExtracted extends Pick<
  ExtractResult,
  | 'extracted'
  | 'reused'
  | 'unread'
  | 'extractedBecause'
  | 'views'
  | 'engine'
  | 'cosineToFp32'
  | 'contract'
  | 'contractId'
  | 'cut'
  | 'weights'
  | 'seconds'
  | 'trace'
> {
  readonly backbone: string;
  /** Images that failed. */
  readonly failed: number;
}

/** What an extraction did to a store. */
export interface ExtractResult {
  /** What the network is called, of several the first, which the others are about; absent for the default alone. */
  readonly backbone?: string;
  /** The further networks, in the order in which they were named; absent for one network. */
  readonly others?: readonly NetworkExtracted[];
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
  /** Of features of a tuned network that stand beside the primary ones of a store; absent for others. */
  readonly tuned?: TunedExtracted;
  readonly classes: readonly string[];
  readonly splits: Readonly<Partial<Record<Split, number>>>;
  readonly warnings: readonly string[];
  /** Images of val and test that are files of the same content as training images; absent where there are none. */
  readonly inTrainToo?: Readonly<Partial<Record<Split, number>>>;
  /** Those of `extracted` that are one colour, of which nothing can be learned; absent where there are none. */
  readonly oneColour?: readonly OneColourImage[];
  /** `load`: loading the network (0 where nothing was extracted); `extract`: the rest of the extraction. */
  readonly seconds: Readonly<{ load: number; extract: number; train?: number }>;
  readonly trace: StageSeconds;
}
