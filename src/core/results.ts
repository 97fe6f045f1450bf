import type { Failure, Pooling, Split } from './sample.ts';

/** What a workflow tells while it works; it never prints. */
export interface Listener {
  /** A choice made for the user, a warning: one sentence. */
  note?(text: string): void;
  progress?(state: Progress): void;
}

export interface Progress {
  /** What is going on, one or two words. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Units a second of work done so far (0 before the first); reused ones count in `done` only. */
  readonly perSecond: number;
  /** What is counted, in the plural; by default images. */
  readonly unit?: string;
}

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

/**
 * How a head came to learn, one number an epoch. Losses are mean cross-entropies (natural logarithm); `loss` and `accuracy` are those of
 * the training rows as they were met, `val...` those of the rows that early stopping held out, after the epoch.
 */
export interface LearningCurve {
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly valLoss?: readonly number[];
  readonly valAccuracy?: readonly number[];
}

/** The rule by which a head answers "unknown", asked for at a share `rate` of images of known classes. */
export interface RejectResult {
  readonly rate: number;
  /** Null where there could be none: `problem` says why, and the head never answers "unknown". */
  readonly rule: {
    /** What tells unknown images: `first-neighbor`, `fifth-neighbor`, `mean-distance`, `energy` or `top-probability`; larger is stranger. */
    readonly measure: string;
    /** A strangeness above it is unknown. */
    readonly threshold: number;
    /** Training images that the threshold was calibrated on, each judged by a head that had not seen it. */
    readonly calibratedOn: number;
    /** Mean AUROC of each measure with one class left out of the training in turn; empty for two classes: the default measure is taken. */
    readonly measures: readonly { readonly measure: string; readonly auroc: number }[];
    /** The classes that were left out. */
    readonly leftOut: readonly string[];
    /** Share of their images above the threshold while their class was left out. */
    readonly leftOutRejected: number | null;
    /** False rejects among the validated images, with the 95 % Wilson interval, and the accuracy of the answers that were given. */
    readonly validated: {
      readonly split: Split;
      readonly images: number;
      readonly rejected: number;
      readonly share: number;
      readonly interval: readonly [number, number];
      readonly accuracyOfAnswered: number | null;
    };
  } | null;
  readonly problem: string | null;
}

/** A head trained on views beside the same head without them, both on the same validated images. */
export interface ViewsBenefit {
  /** Views of each training image, beside the image itself. */
  readonly count: number;
  readonly accuracyWithout: number;
  /** Accuracy with the views less that without them, and its 95 % interval by the paired bootstrap. */
  readonly difference: number;
  readonly interval: readonly [number, number];
  /** McNemar's exact test of "the views change nothing". */
  readonly pValue: number;
}

/** One head with its figures on the split that it was validated on. */
export interface HeadResult {
  readonly name: string;
  /** Its features: a pooling of the primary cut, or the parts with their cuts, as in block5_pool:avg,block4_pool:avg. */
  readonly pooling: string;
  readonly normalize: string;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Those of `params` that are not the head's defaults. */
  readonly changed: Readonly<Record<string, number | string | boolean>>;
  readonly accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [number, number];
  readonly balancedAccuracy: number;
  readonly logLoss: number;
  /** Milliseconds of fitting, features in memory; normalisation counts. */
  readonly fitMs: number;
  /** Milliseconds of predicting all validated images. */
  readonly predictMs: number;
  readonly converged: boolean;
  readonly iterations: number;
  /** Of heads that learn by epochs. */
  readonly learningCurve?: LearningCurve;
  readonly notes: readonly string[];
  /** Of heads that may answer "unknown", or could not be made to. */
  readonly reject?: RejectResult;
  /** Of heads trained on augmented views: what these were worth. */
  readonly views?: ViewsBenefit;
  /** Images trained on and validated on, and the split of the latter. */
  readonly trained: number;
  readonly validated: number;
  readonly validatedOn: Split;
  /** The head file, where one was written. */
  readonly file: string | null;
}

/** Rows are true classes, columns predicted ones, both in the order of `classes`. */
export interface Confusion {
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** A validated image that a head got wrong. */
export interface Mistake {
  readonly path: string;
  readonly label: string;
  readonly predicted: string;
  readonly probability: number;
}

export interface RunResult extends ExtractResult {
  /** Those of the run's options that were not the defaults: with them the run is repeated. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** The best head first; equal accuracies in the order of log loss. */
  readonly heads: readonly HeadResult[];
  /** Heads that could not be fitted, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Of the best head. */
  readonly confusion: Confusion;
  /** Of the best head: the ten surest. */
  readonly mistakes: readonly Mistake[];
}

export interface NeighborResult {
  readonly id: string;
  readonly path: string;
  readonly label: string;
  readonly split: Split;
  readonly distance: number;
}

export interface PredictResult {
  readonly head: string;
  readonly contract: string;
  readonly engine: EngineFacts;
  readonly predictions: readonly {
    readonly path: string;
    /** The answer: the likeliest class, or "unknown". */
    readonly label: string;
    /** Whether the answer is "unknown": a class may have that name too. */
    readonly unknown: boolean;
    /** The likeliest class, also where the answer is "unknown", and its probability. */
    readonly guess: string;
    readonly probability: number;
    /** How strange the image is to the head, and from where on that is unknown; null for heads without such a rule. */
    readonly strangeness: {
      readonly measure: string;
      readonly value: number;
      readonly threshold: number;
    } | null;
    readonly probabilities: Readonly<Record<string, number>>;
    readonly neighbors: readonly NeighborResult[];
  }[];
  readonly failed: readonly Failure[];
}

/** An approximate index over one split: what its search keeps, and the recall@k that this was measured to give. */
export interface IndexResult {
  readonly split: Split;
  readonly ef: number;
  readonly k: number;
  readonly recall: number;
  /** Stored images that recall was measured on. */
  readonly queries: number;
  /** Whether it was built now; else it was in the store. */
  readonly built: boolean;
}

export interface NeighborsResult {
  readonly store: string;
  /** The features that are compared, as in HeadResult. */
  readonly pooling: string;
  readonly metric: string;
  /** How the neighbours were found: all of them, or by these indices. */
  readonly index: 'exact' | readonly IndexResult[];
  readonly queries: readonly { readonly path: string; readonly neighbors: readonly NeighborResult[] }[];
  readonly failed: readonly Failure[];
}

export interface InspectResult {
  readonly store: string;
  readonly version: number;
  readonly dataset: string;
  readonly images: number;
  readonly classes: readonly {
    readonly label: string;
    readonly splits: Readonly<Partial<Record<Split, number>>>;
  }[];
  readonly failed: readonly Failure[];
  readonly sets: readonly {
    readonly fingerprint: string;
    /** Whether the data set that was extracted last has its features there; and whether they are its primary ones. */
    readonly current: boolean;
    readonly primary: boolean;
    readonly backbone: string;
    readonly weights: string;
    readonly cut: string;
    readonly contract: Readonly<Record<string, unknown>>;
    readonly contractId: string;
    readonly dtype: string;
    readonly engine: EngineFacts;
    readonly cosineToFp32: CosineToFp32 | null;
    readonly widths: Readonly<Record<Pooling, number>>;
    /** Rows in each pooling that it holds; `rows` is the most of them. */
    readonly poolings: Readonly<Partial<Record<Pooling, number>>>;
    readonly rows: number;
    readonly shards: number;
    readonly bytes: number;
  }[];
  readonly bytes: number;
}

/** The runtimes that can be added, as they are after the action. */
export interface EnginesResult {
  readonly action: 'list' | 'add' | 'remove';
  /** The engine that the action was about; null for list. */
  readonly engine: string | null;
  readonly engines: readonly {
    readonly engine: string;
    readonly describe: string;
    readonly installed: boolean;
    readonly version: string | null;
    readonly path: string | null;
    readonly origin: 'added' | 'found' | null;
    readonly problem: string | null;
  }[];
}

/** The engines measured on a few images, each in processes of its own. */
export interface BenchResult {
  /** Where the images are from. */
  readonly source: string;
  readonly images: readonly string[];
  readonly failed: readonly Failure[];
  readonly contract: string;
  readonly cut: string;
  readonly machine: { readonly model: string; readonly cores: number };
  readonly rounds: number;
  /** What the cosines are taken to: engine, device and precision. */
  readonly reference: string | null;
  readonly variants: readonly BenchVariant[];
}

export interface BenchVariant {
  readonly engine: string;
  readonly device: string;
  readonly precision: string;
  /** The figures; null where it was not measured: `problem` says why. */
  readonly measured: {
    readonly version: string;
    /** Inference alone: the median of the rounds, each of which is the median of its repetitions. */
    readonly imagesPerSecond: number;
    readonly perRound: readonly number[];
    /** Processor time an image, all cores together, the least of the rounds: what a busy machine disturbs least. */
    readonly cpuMsPerImage: number;
    /** Peak resident memory of the process, the largest of the rounds. */
    readonly peakMiB: number;
    /** Between an image's flattened map and that of the reference. */
    readonly cosineLeast: number;
    readonly cosineMean: number;
  } | null;
  readonly problem: string | null;
}

export interface DoctorResult {
  readonly permafrost: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: {
    readonly model: string;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Its best unit for bf16; null where it has none, where that is not known, or where ONEDNN_MAX_CPU_ISA hides it. */
    readonly bf16: string | null;
  };
  readonly packages: readonly {
    readonly name: string;
    readonly version: string | null;
    readonly works: boolean;
    readonly needed: string;
    readonly problem: string | null;
  }[];
  readonly weights: { readonly ok: boolean; readonly digest: string | null; readonly problem: string | null };
  /** What `--engine auto` picks for a new store, why, and what would be faster; null where nothing runs. */
  readonly engine: (EngineFacts & { readonly why: string; readonly faster: readonly string[] }) | null;
  /** Every engine, device and precision. */
  readonly engines: readonly {
    readonly engine: string;
    readonly device: string;
    readonly precision: string;
    readonly version: string | null;
    readonly chosen: boolean;
    /** Expected images a second, as a multiple of onnxruntime's in fp32. */
    readonly speed: number;
    /** Why it does not run here; null where it does. */
    readonly problem: string | null;
  }[];
}

/** A file of a store that is not what was written; `rows` of features, those of its shard, are lost with it. */
export interface DamagedFileResult {
  readonly name: string;
  readonly problem: string;
  readonly rows: number;
}

export interface VerifyResult {
  readonly store: string;
  readonly ok: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedFileResult[];
  /** Files that nothing refers to, left by a killed run: `gc` removes them. */
  readonly orphans: readonly string[];
}

export interface RepairResult {
  readonly store: string;
  readonly damaged: readonly DamagedFileResult[];
  readonly lostRows: number;
  readonly extracted: number;
  /** What is left to do, where something is. */
  readonly next: string | null;
}

export interface MigrateResult {
  readonly store: string;
  /** The version that was found, and the one that the store has now. */
  readonly from: number;
  readonly to: number;
  /** What it holds, which was not touched. */
  readonly sets: number;
  readonly shards: number;
  readonly rows: number;
}

export interface GcResult {
  readonly store: string;
  readonly dryRun: boolean;
  readonly droppedRows: number;
  readonly droppedSets: number;
  readonly removedFiles: number;
  readonly removedBytes: number;
}

/** An image of val or test whose copy lies in train. */
export interface LeakResult {
  readonly train: string;
  readonly held: string;
  readonly split: Split;
  /** Equal bytes, or features with a cosine above the threshold. */
  readonly kind: 'exact' | 'near';
  readonly cosine: number;
  readonly sameLabel: boolean;
}

interface Share {
  readonly images: number;
  readonly accuracy: number;
  readonly interval: readonly [number, number];
}

export interface CheckResult {
  readonly store: string;
  readonly images: number;
  /** Groups of files with equal bytes. */
  readonly exact: readonly (readonly string[])[];
  /** Pairs of other files whose features are nearly equal, the most similar first. */
  readonly near: readonly { readonly a: string; readonly b: string; readonly cosine: number }[];
  /** Why these were not looked for; null where they were. */
  readonly nearMissing: string | null;
  readonly threshold: number;
  readonly leaks: readonly LeakResult[];
  /** Images of val and test that have a copy in train. */
  readonly leakedImages: number;
  /** Of one head on the validated images: all of them, and those without a copy in train. Null where there are none. */
  readonly accuracy: { readonly head: string; readonly all: Share; readonly clean: Share } | null;
  /** Images whose label the others contradict, the most suspect first; margin: probability of the label minus that of the suggestion. */
  readonly suspects: readonly {
    readonly path: string;
    readonly label: string;
    readonly suggested: string;
    readonly probability: number;
    readonly margin: number;
  }[];
  /** Classes with fewer than `smallClass` images in val and test together. */
  readonly smallClasses: readonly { readonly label: string; readonly train: number; readonly held: number }[];
  readonly smallClass: number;
}
