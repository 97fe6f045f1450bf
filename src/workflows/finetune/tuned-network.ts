import type { LearningCurve } from '../../classify/head.ts';
import type { Contract } from '../../core/contract.ts';
import type { Sample } from '../../core/sample.ts';
import type { BackboneWeights, LayerBackbone } from '../../extract/backbones/backbone.ts';
import type { DenseHead, TailArrays } from '../../extract/training.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import type { TrainedContents } from '../../store/read/heads/trained-contents.ts';

/** What training hands over to be kept (keep-tuned.ts): the changed layers, the dense layer, and all they rest on. */
export interface TunedNetwork {
  readonly backbone: LayerBackbone;
  /** The first changed layer; all behind it are changed too. */
  readonly from: string;
  /** By name, as in a TrainingStep: kernel and bias of each changed convolution, `head/kernel` and `head/bias`. */
  readonly arrays: TailArrays;
  readonly head: DenseHead;
  /** Names of the classes in the order of the dense layer's columns: sorted. */
  readonly classes: readonly string[];
  /** The weights that training began with, as `loadWeights` gives them: those of the frozen layers stay. */
  readonly base: BackboneWeights;
  readonly contract: Contract;
  /**
   * The set of the images' (not a view's) activations that the tail was trained on: it tells engine class, number type
   * and calibration of the frozen part. Absent where nothing is frozen, so that the tail was trained on pixels.
   */
  readonly cut?: FeatureSet | undefined;
  /** Facts of the recipe by name, in the words of its options: rate, epochs, seed ... */
  readonly recipe: Readonly<Record<string, number | string | boolean>>;
  /** Epochs of the fit that is kept. */
  readonly epochs: number;
  /** Of that fit: its arrays have `epochs` numbers. */
  readonly learningCurve?: LearningCurve;
  /** What is to be said of the head, a sentence each. */
  readonly notes: readonly string[];
  /** Images that were trained on, and their contents (`contentsOfTrain`). */
  readonly images: number;
  readonly contents: TrainedContents;
  /** Images that counted under another label or split than the store's (labelled-store.ts). */
  readonly relabelled?: readonly Sample[];
}

/** What is asked of keepTuned beside the network. */
export interface KeepTunedOptions {
  /** The file; by default in the store's folder `heads`, named by what it is and a digest of its weights. */
  readonly out?: string;
  /** Whether the features of the stored images are brought into the store too. Default: true. */
  readonly features?: boolean;
}

/** Where a tuned network is kept. */
export interface KeptTuned {
  /** Absolute path of the file, a head file that carries its layers. */
  readonly file: string;
  /** Names the set of its features in the store; undefined where they were not asked for. */
  readonly fingerprint: string | undefined;
}
