import type { Split } from '../core/sample.ts';
import type { ValidationLooks } from '../store/format/validation-looks.ts';

/**
 * The four ways of the 2020 report to use a pretrained network, in its order. `head-only`: a head on the features of
 * the deepest layer. `retrain-all`: every layer is trained on from the pretrained weights. `freeze-early`: the early
 * layers stay, the last block is trained. `layers-as-features`: a head on the features of one or several layers.
 */
export type StrategyName = 'head-only' | 'retrain-all' | 'freeze-early' | 'layers-as-features';

/** Accuracy and log loss on some images. */
export interface Score {
  readonly accuracy: number;
  readonly logLoss: number;
}

/** One way of training after an epoch, epoch 0 being the start. */
export interface StrategyEpoch {
  readonly epoch: number;
  /** On the part of the training images that was held out of this training; null where none was. */
  readonly heldOut: Score | null;
  /** On the validated images, which are watched and choose nothing; null where they were not watched. */
  readonly val: Score | null;
}

/** What came of a training by its epochs. */
export interface StrategyCurve {
  /** What was trained, such as `rate 0.0001, four fifths of Train`. */
  readonly name: string;
  readonly epochs: readonly StrategyEpoch[];
}

/** A trial beside the frozen head on the same validated images. */
export interface StrategyComparison {
  /** Accuracy less that of the frozen head, and its 95 % interval (Agresti and Min 2005). */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
  /** Images that it alone, or the frozen head alone, got right. */
  readonly onlyThis: number;
  readonly onlyFrozen: number;
  /** McNemar's exact test of the accuracies, two-sided, and adjusted for all the trials (Holm 1979). */
  readonly pValue: number;
  readonly adjusted: number;
  /** Log loss less that of the frozen head, and the paired t test of the two, likewise adjusted. */
  readonly logLossDifference: number;
  readonly logLossPValue: number;
  readonly logLossAdjusted: number;
}

/** What training images that were held out say, which chooses and advises: Val does not. */
export interface StrategyHeldOut extends Score {
  /** `crossValidation`: all training images, each by a head that did not see it. `part`: one part that was held out. */
  readonly by: 'crossValidation' | 'part';
  readonly images: number;
  /** The frozen head on the same images. */
  readonly frozen: Score;
}

/** One way that was tried. */
export interface StrategyTrial {
  readonly strategy: StrategyName;
  /** What was trained, in a few words: one trial is `frozen head`, which the others are compared with. */
  readonly name: string;
  readonly accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [low: number, high: number];
  readonly logLoss: number;
  /** Seconds of training it, its choices included; what all share, extraction, is not. */
  readonly seconds: number;
  /** Most bytes that the whole process was seen to hold meanwhile. */
  readonly peakBytes: number;
  /** Null where no training image was held out. */
  readonly heldOut: StrategyHeldOut | null;
  /** Null of the frozen head itself. */
  readonly comparison: StrategyComparison | null;
  /** Empty of what does not learn by epochs. */
  readonly curves: readonly StrategyCurve[];
  /** Of a training that may end where it began: `frozen` where no epoch beat the frozen head on the held-out part. */
  readonly kept?: 'tuned' | 'frozen';
  /** What was chosen: rate, epochs, C. */
  readonly chosen: Readonly<Record<string, number | string | boolean>>;
  /** What was limited, left out or found, a sentence each. */
  readonly remarks: readonly string[];
  /** The head file, where one was written: of a tuned network with its layers, or of the frozen head that was kept. */
  readonly file?: string;
}

/** What the report's advice rests on, and what it comes to. Training images alone decide it. */
export interface StrategyAdvice {
  /** Median of the training images a class, and from how many on a data set counts as large. */
  readonly imagesPerClass: number;
  readonly largeFrom: number;
  readonly size: 'small' | 'large';
  /**
   * `different` where a head on an earlier layer is right more often than one on the deepest, on training images that
   * neither saw (McNemar's test at 5 %); `unknown` where that could not be measured.
   */
  readonly domain: 'similar' | 'different' | 'unknown';
  /** The best earlier layers beside the deepest, cross-validated; null where none were. */
  readonly layers: {
    readonly deepest: string;
    readonly earlier: string;
    readonly accuracyDeepest: number;
    readonly accuracyEarlier: number;
    readonly pValue: number;
  } | null;
  /** What the report advises for such a data set. */
  readonly advised: StrategyName;
  /** Whether it had a lower log loss than the frozen head on training images that were held out. */
  readonly measured: 'better' | 'no better' | 'not tried' | 'is the frozen head';
  /** What to take: `advised` where the training images agree; else the frozen head, or what they say of large data. */
  readonly take: StrategyName;
  /** Others that were better on training images that were held out, the best first. */
  readonly alsoBetter: readonly StrategyName[];
}

/** The four strategies side by side on one data set. */
export interface StrategiesResult {
  /** Images trained on and validated on, and the split of the latter. */
  readonly trained: number;
  readonly validated: number;
  readonly validatedOn: Split;
  /** Minutes that the trainings might take, and seconds that all of this took. */
  readonly minutes: number;
  readonly seconds: number;
  readonly trials: readonly StrategyTrial[];
  /** What was not tried, and why. */
  readonly skipped: readonly { readonly strategy: StrategyName; readonly name: string; readonly reason: string }[];
  readonly advice: StrategyAdvice;
  /** How often heads of the store were measured on the validated images so far; absent where that was not counted. */
  readonly looks?: ValidationLooks;
}
