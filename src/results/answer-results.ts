import type { EngineFacts } from './extract-result.ts';
import type { Failure, Split } from '../core/sample.ts';

/** A stored image near to one that was asked about. */
export interface NeighborResult {
  readonly id: string;
  readonly path: string;
  readonly label: string;
  readonly split: Split;
  /** 1 - cosine, or the Euclidean distance, by the metric of the search. */
  readonly distance: number;
}

/** How strange an image is to a head, and from where on that is unknown. */
export interface Strangeness {
  /** `first-neighbor`, `fifth-neighbor`, `mean-distance`, `energy` or `top-probability`; larger is stranger. */
  readonly measure: string;
  readonly value: number;
  /** A value above it is unknown. */
  readonly threshold: number;
  /** The share of images of known classes that lie above the threshold, at most and on average. */
  readonly rate: number;
  /** The share of training images, judged unseen, that are less strange; null for heads of older versions. */
  readonly lessStrange: number | null;
}

/** A further network, where features of several stand side by side. */
export interface NetworkFacts {
  readonly backbone: string;
  readonly contract: string;
  readonly engine: EngineFacts;
}

/**
 * How an engine that stands in for another class agrees with it on images: what it made of them beside what the
 * features' own class did.
 */
export interface EngineAgreement {
  /** The engine class of the features; of several networks that differ, each, joined by ` + `. */
  readonly own: string;
  /** The engine class that answers. */
  readonly other: string;
  /** Stored images, read where the data set lies; or the probe images that a head's file carries. */
  readonly by: 'stored images' | 'probe images';
  readonly images: number;
  /** How many of them are given the same class by both, and the largest difference of a probability; null: no head. */
  readonly sameClass: number | null;
  readonly largestDifference: number | null;
  /** The least cosine of an image's features by one to those by the other; null where only answers are known. */
  readonly leastCosine: number | null;
}

/** What a head says of an image. */
export interface Answer {
  /** The likeliest class, also where the image is unknown. */
  readonly label: string;
  /** The same; kept for readers of older versions, in which `label` was "unknown" there. */
  readonly guess: string;
  /** Whether the image is so strange to the head that it may be of no class that the head knows. */
  readonly unknown: boolean;
  /** Of the likeliest class. */
  readonly probability: number;
  /** How strange the image is to the head; null for heads without a rule for "unknown", and where it is off. */
  readonly strangeness: Strangeness | null;
  /** Of each class that the head knows. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** The nearest training images, nearest first, as many as were asked for. */
  readonly neighbors: readonly NeighborResult[];
}

/** The answer for an image that was named: by its path or address, or by its place, as `images[2]`. */
export interface Answered extends Answer {
  readonly path: string;
}

/** What a classifier runs: a head, and the network or networks before it. */
export interface ClassifierFacts {
  /** The head file, as it was named. */
  readonly file: string;
  /** SHA-256 of that file, lower-case hex. */
  readonly digest: string;
  /** The head's name, such as `logistic`. */
  readonly head: string;
  readonly classes: readonly string[];
  readonly backbone: string;
  readonly cut: string;
  /** The features that the head reads, as in HeadResult. */
  readonly pooling: string;
  readonly contract: string;
  readonly engine: EngineFacts;
  /** Of heads on features of several networks: those after the first. */
  readonly others: readonly NetworkFacts[];
  /** Where another engine class than that of the head's features answers: how far the two agree; else null. */
  readonly agreement: EngineAgreement | null;
  /** From where on an image is unknown; null for heads without such a rule, and where it is off. */
  readonly unknown: Pick<Strangeness, 'measure' | 'threshold' | 'rate'> | null;
  /** The version of permafrost that answers. */
  readonly permafrost: string;
}

/** A class and what the head gives it. */
export interface LikelyClass {
  readonly label: string;
  readonly probability: number;
}

/** What `predict` says of an image. */
export interface Prediction extends Answered {
  /** With `top`: so many of the likeliest classes, the likeliest first. */
  readonly top?: readonly LikelyClass[];
}

/** How many images were asked about, and what came of them. */
export interface PredictCounts {
  /** All that were given; of a run that goes on also those that were answered before. */
  readonly images: number;
  /** Of this run. Those that are unknown count as answered too. */
  readonly answered: number;
  readonly unknown: number;
  readonly failed: number;
  /** Images whose rows were in all files before: they were not asked about again. */
  readonly before: number;
  /** Of this run, by the likeliest class, those that are unknown too. */
  readonly labels: Readonly<Record<string, number>>;
}

/** A file of answers. */
export interface WrittenAnswers {
  readonly kind: 'csv' | 'jsonl' | 'parquet';
  /** `-` for standard output. */
  readonly file: string;
  /** In all, those of runs before too, one an image. */
  readonly rows: number;
}

/** A folder that images were sorted into. */
export interface SortedImages {
  readonly folder: string;
  readonly isLinks: boolean;
  readonly put: number;
  /** Images that lay there already, of a run before. */
  readonly there: number;
  /** Failed images that no file was left of. */
  readonly gone: number;
}

/** What a head says of images: one prediction for each that could be read, in the order in which they were given. */
export interface PredictResult {
  readonly head: string;
  readonly contract: string;
  readonly engine: EngineFacts;
  /** Of heads on features of several networks: those after the first. */
  readonly others?: readonly NetworkFacts[];
  /** Where an engine of another class than that of the head's features answered: how far the two agree. */
  readonly agreement?: EngineAgreement;
  /** Empty where answers go to files or a folder. */
  readonly predictions: readonly Prediction[];
  /** Where answers go to files or a folder, a hundred at most: `counts` says how many there are. */
  readonly failed: readonly Failure[];
  readonly counts: PredictCounts;
  readonly written?: readonly WrittenAnswers[];
  readonly sorted?: SortedImages;
}

/** An approximate index over one split: what its search keeps, and the recall@k that this was measured to give. */
export interface IndexResult {
  readonly split: Split;
  readonly ef: number;
  readonly k: number;
  readonly recall: number;
  /** Stored images that recall was measured on. */
  readonly queries: number;
  /** Whether no graph holds these images; else each was asked for without itself. */
  readonly heldOut: boolean;
  /** Threads that search the graphs. */
  readonly threads: number;
  /** Whether it was built now; else it was in the store. */
  readonly built: boolean;
}

/** The stored images that are nearest to each image that was asked about, the nearest first. */
export interface NeighborsResult {
  readonly store: string;
  /** The features that are compared, as in HeadResult. */
  readonly pooling: string;
  readonly metric: string;
  /** What ran the network. Not in what older versions wrote. */
  readonly engine?: EngineFacts;
  /** Where it is of another class than the stored features: how far the two agree. */
  readonly agreement?: EngineAgreement;
  /** How the neighbours were found: all of them, or by these indices. */
  readonly index: 'exact' | readonly IndexResult[];
  /** Why, where `auto` chose: the seconds that both were expected to take. */
  readonly indexChosen?: string;
  readonly queries: readonly { readonly path: string; readonly neighbors: readonly NeighborResult[] }[];
  readonly failed: readonly Failure[];
}
