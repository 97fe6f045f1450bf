import type { Strangeness } from './answer-results.ts';
import type { OrReason } from './or-reason.ts';
import type { ExtractResult } from './extract-result.ts';
import type { Split } from '../core/sample.ts';
import type { LearningCurve } from '../classify/head.ts';
import type { CrossValidated } from '../classify/cross-validation/choice.ts';
import type { Comparison } from '../classify/cross-validation/compare.ts';
import type { LeftOutClass } from '../classify/novelty/left-out-classes.ts';
import type { ValidationLooks } from '../store/format/validation-looks.ts';
import type { StrategiesResult } from './strategies-result.ts';

export type { LearningCurve } from '../classify/head.ts';
export type { ValidationLooks } from '../store/format/validation-looks.ts';
export type { CrossValidated } from '../classify/cross-validation/choice.ts';
export type { Comparison, PairedTest } from '../classify/cross-validation/compare.ts';
export type { LeftOutClass } from '../classify/novelty/left-out-classes.ts';

/** The rule by which a head answers "unknown", asked for at a share `rate` of images of known classes. */
export interface RejectResult {
  readonly rate: number;
  /** Null where there could be none: `problem` says why, and the head never answers "unknown". */
  readonly rule: {
    /** `first-neighbor`, `fifth-neighbor`, `mean-distance`, `energy` or `top-probability`; larger is stranger. */
    readonly measure: string;
    /** A novelty score above it is unknown. */
    readonly threshold: number;
    /** Training images that the threshold was calibrated on, each judged by a head that had not seen it. */
    readonly calibratedOn: number;
    /** Where this rule's own share of false rejects lies (95 %): `rate` is a mean over training sets. Not in older. */
    readonly rateInterval?: readonly [low: number, high: number];
    /** Of a head trained in streams: training images that an image is compared with, none of `calibratedOn`. */
    readonly comparedWith?: number;
    /** Mean AUROC of each measure with one class left out in turn; empty for two classes (default measure). */
    readonly measures: readonly { readonly measure: string; readonly auroc: number }[];
    /** The classes that were left out. */
    readonly leftOut: readonly string[];
    /** Mean over them of the share of their images that a head without the class rejects at the same rate. */
    readonly leftOutRejected: number | null;
    /** Each of them by the measure. Not in what older versions wrote. */
    readonly leftOutClasses?: readonly LeftOutClass[];
    /** False rejects among the validated images, with the 95 % Wilson interval; and accuracy of the rest. */
    readonly validated: {
      readonly split: Split;
      readonly images: number;
      readonly rejected: number;
      readonly share: number;
      readonly interval: readonly [number, number];
      /** The chance of as many or more for images like the training images (beta-binomial). Not in older. */
      readonly chance?: number;
      readonly accuracyOfAnswered: number | null;
      /** How many of the rejected are named rightly all the same. Not in older. */
      readonly rejectedRight?: number;
      /** The strangest of the rejected, at most three, the strangest first. Not in older. */
      readonly strangest?: readonly Unusual[];
    };
  } | null;
  readonly problem: string | null;
}

/** An image that a head's rule calls unknown, though it is of a class that the head knows. */
export interface Unusual {
  readonly path: string;
  readonly label: string;
  /** What the head takes it for. */
  readonly guess: string;
  readonly strangeness: Strangeness;
}

/** A head trained on views beside the same head without them, both on the same validated images. */
export interface ViewsBenefit {
  /** Views of each training image, beside the image itself. */
  readonly count: number;
  readonly accuracyWithout: number;
  /** Accuracy with the views less that without them, and its 95 % interval (Agresti and Min 2005). */
  readonly difference: number;
  readonly interval: readonly [number, number];
  /** McNemar's exact test of "the views change nothing": below 0.05 they helped or hurt. */
  readonly pValue: number;
  /** Images that only the head with the views got right, and only that without. Not in what older versions wrote. */
  readonly onlyWith?: number;
  readonly onlyWithout?: number;
}

/** What a head reached on a split. */
export interface SplitScore {
  readonly split: Split;
  /** Images that it was scored on, and those left out, for files of the same content were trained on. */
  readonly images: number;
  readonly leftOut: number;
  readonly accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [number, number];
  readonly balancedAccuracy: number;
  readonly logLoss: number;
  /** Classes of the split that the head does not know. */
  readonly unlearned: readonly string[];
  /** How often heads of the store were measured on it; absent where that could not be counted. */
  readonly looks?: ValidationLooks;
}

/** One head with its figures on the split that it was validated on. */
export interface HeadResult {
  readonly name: string;
  /**
   * Poolings of the primary cut, as in avg or avg+max, or parts with their cuts, as in block5_pool:avg,block4_pool:avg.
   */
  readonly pooling: string;
  /** Of a store with several networks: whose features they are, as `a + b` those of both side by side. */
  readonly backbone?: string;
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
  /** On training images, each judged by a head that did not see it: what `run` chooses its best head by. */
  readonly crossValidated?: CrossValidated;
  /** Of a head whose probabilities are scaled by one temperature of its out-of-fold scores: that. */
  readonly temperature?: number;
  /** Of heads that may answer "unknown", or could not be made to. */
  readonly reject?: RejectResult;
  /** Of heads trained on augmented views: what these were worth. */
  readonly views?: ViewsBenefit;
  /** Images that counted under another label or split than the store's; absent where no list of labels was given. */
  readonly relabelled?: number;
  /** Of heads that a run compared: with its best, on the validated images; of the best itself p = 1, not told apart. */
  readonly comparison?: Comparison;
  /** Images trained on and validated on, and the split of the latter. */
  readonly trained: number;
  readonly validated: number;
  readonly validatedOn: Split;
  /** Images of that split which no figure counts, for files of the same content were trained on; absent for none. */
  readonly leftOut?: number;
  /** Of a run's best head, where images were left out: its accuracy had these been counted. */
  readonly accuracyWithLeftOut?: number;
  /** Classes of validated images without a training image: counted as wrong, recall 0. Absent where there are none. */
  readonly unlearned?: readonly string[];
  /** The chosen head on the labelled test images, which had no part in any choice; absent where it was not asked. */
  readonly test?: OrReason<SplitScore>;
  /** How often that split was looked at so far: of the best head of a run or sweep, and of one trained alone. */
  readonly looks?: ValidationLooks;
  /** Images that its file carries, by which other engines are checked. Absent where no file was written. */
  readonly probeImages?: number;
  /** The head file, where one was written. */
  readonly file: string | null;
  /** The table of what it says of every image, beside its file; absent where none was written. */
  readonly answers?: AnswersResult;
}

/** A table of a head's answers, a row an image. */
export interface AnswersResult {
  readonly parquet: string;
  readonly csv: string;
  readonly images: number;
  /** Images that have an answer: training images only where heads judged them that were fitted without them. */
  readonly answered: number;
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

/** What a run chose its best head by. */
export interface RunChoice {
  /**
   * `crossValidation` on training images: the validated images had no part in it. `validation`: on those themselves, so
   * that the best head's figure is too high.
   */
  readonly by: 'crossValidation' | 'validation';
  /** Why by validation; else null. */
  readonly reason: string | null;
}

/** What `run` did: the extraction, and every head that it trained. */
export interface RunResult extends ExtractResult {
  /** Those of the run's options that were not the defaults: with them the run is repeated. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** The best head first, as `choice` says. */
  readonly heads: readonly HeadResult[];
  /** What the best was chosen by. Not in what older versions wrote: they chose by the validated images. */
  readonly choice?: RunChoice;
  /** Heads that could not be fitted, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Of the best head. */
  readonly confusion: Confusion;
  /** Of the best head: the ten surest. */
  readonly mistakes: readonly Mistake[];
  /** The four strategies of the 2020 report beside each other; absent where they were not asked for. */
  readonly strategies?: StrategiesResult;
}
