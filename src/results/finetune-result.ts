import type { Split } from '../core/sample.ts';
import type { McNemar } from '../classify/evaluate/paired-tests.ts';
import type { EngineFacts } from './extract-result.ts';
import type { ValidationLooks } from './head-result.ts';

/** Two figures of a network on some images. */
export interface NetworkScore {
  readonly accuracy: number;
  /** Mean of -ln(probability of the true class). */
  readonly logLoss: number;
}

/** A network on the held-out part of Train, and how much better it is there than the network of epoch 0. */
export interface HeldOutScore extends NetworkScore {
  /** Mean over the images of the log loss at epoch 0 less that now, and the standard error of that mean. */
  readonly gain: number;
  readonly gainError: number;
}

/** What an epoch of training left. Epoch 0 is the start: the frozen head, where there is one. */
export interface FinetuneEpoch {
  readonly epoch: number;
  /** Loss and accuracy on the training images as the epoch met them; absent for epoch 0. */
  readonly train?: NetworkScore;
  /** On the held-out part of Train: what chooses. Absent where all of Train is trained on. */
  readonly heldOut?: HeldOutScore;
  /** On the validated images: watched, and never chosen by. */
  readonly val: NetworkScore;
  /** Seconds of training, without scoring. */
  readonly seconds: number;
}

/** One learning rate tried on four fifths of Train. */
export interface FinetuneTrial {
  readonly rate: number;
  /** From epoch 0 on. */
  readonly epochs: readonly FinetuneEpoch[];
}

/** What is kept, and why. */
export interface FinetuneChoice {
  readonly kept: 'tuned' | 'frozen';
  /** The rate and the epochs of the best trial; of a fixed recipe those that were asked for. */
  readonly rate: number;
  readonly epochs: number;
  /** One sentence. */
  readonly reason: string;
}

/** Figures on the validated images, with the 95 % Wilson interval of the accuracy. */
export interface ValidatedScore extends NetworkScore {
  readonly interval: readonly [low: number, high: number];
}

/** The tuned network beside the frozen head, on the same validated images. */
export interface TunedComparison {
  /** Accuracy of the tuned network less that of the frozen head, and its 95 % interval (Agresti and Min 2005). */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
  /** McNemar's exact test; the first is the tuned network. */
  readonly accuracy: McNemar;
  /** Two-sided p-value of the paired t test of the log losses. */
  readonly logLossPValue: number;
}

/** What of a recipe was run where it had to end within some minutes. */
export interface FinetuneLimit {
  readonly minutes: number;
  /** Seconds that training on an image and asking about one take, by the first steps. */
  readonly secondsAnImage: number;
  readonly secondsAsking: number;
  /** Rates and epochs that had room, of those that were wanted. */
  readonly rates: readonly number[];
  readonly ofRates: readonly number[];
  readonly epochs: number;
  readonly ofEpochs: number;
  /** False where training again on all of Train had no room: the network of the search is what is kept. */
  readonly refit: boolean;
  /** In a sentence; null where all had room. */
  readonly reason: string | null;
}

/** A network fine-tuned from a cut on, beside its frozen head. */
export interface FinetuneResult {
  readonly store: string;
  /** The first trained layer, and the cut whose stored activations it reads; null where it reads pixels. */
  readonly from: string;
  readonly cut: string | null;
  readonly recipe: string;
  /** What trained: engine, device, precision, version. */
  readonly engine: EngineFacts;
  readonly classes: readonly string[];
  /** Training images, those of them that the search held out, and views of each beside the image itself. */
  readonly trained: number;
  readonly heldOut: number;
  readonly views: number;
  readonly validated: number;
  readonly validatedOn: Split;
  /** Validation images that no figure counts, for files of the same content are trained on; absent for none. */
  readonly leftOut?: number;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Images of a step, and of one run of it: gradients of several runs are added. */
  readonly batch: number;
  readonly microBatch: number;
  /** Inverse strength of the frozen head's penalty, chosen by cross-validated log loss on Train; null: cold start. */
  readonly C: number | null;
  /** In the order of the rates; empty for a fixed recipe. */
  readonly trials: readonly FinetuneTrial[];
  readonly choice: FinetuneChoice;
  /** Absent where no limit was given. */
  readonly limit?: FinetuneLimit;
  /** Training on all of Train, from epoch 0 on; empty where the frozen head is kept. */
  readonly refit: readonly FinetuneEpoch[];
  /** The frozen head of all of Train on the validated images; null for a cold start. */
  readonly frozen: ValidatedScore | null;
  /** The network of the refit; null where the frozen head is kept. */
  readonly tuned: ValidatedScore | null;
  /** Null where there are not both. */
  readonly comparison: TunedComparison | null;
  /** Options that are not the defaults. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** Images that counted under another label or split than the store's; absent where no list of labels was given. */
  readonly relabelled?: number;
  /** Epochs that were known from an interrupted fine-tuning before. */
  readonly resumedEpochs: number;
  readonly seconds: Readonly<{ extract: number; start: number; search: number; refit: number; keep: number }>;
  /** Mean seconds of training an epoch of all of Train; null where none was. */
  readonly secondsPerEpoch: number | null;
  /** Most bytes that the process took. */
  readonly peakBytes: number;
  /** Heads of the store measured on the validated images so far; absent where that could not be counted. */
  readonly looks?: ValidationLooks;
  /** The head file: of the tuned network with its layers, or of the frozen head. */
  readonly file: string;
}
