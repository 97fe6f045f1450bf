import type { ImageFacts, PoolingChoice, Sample, Split } from '../../core/sample.ts';

/** An image of the store, named by its row in the list of samples of one snapshot. */
export interface ImageCard extends Sample {
  readonly row: number;
}

/** A stored image that lies near another; distance is the cosine distance of average-pooled features, 0 to 2. */
export interface NearImage extends ImageCard {
  readonly distance: number;
}

/** A head file of the store's folder heads. */
export interface HeadFacts {
  /** The file's name. */
  readonly id: string;
  readonly name: string;
  /** What it reads: avg, avg+max; of other cuts than the primary one `cut:pooling`, several joined by commas. */
  readonly pooling: string;
  readonly classes: readonly string[];
  /** Number of images that it was trained on. */
  readonly trained: number;
  /** Why it cannot be asked about this store's features; null where it can. */
  readonly problem: string | null;
}

export interface StoreFacts {
  readonly store: string;
  readonly dataset: string;
  /** Names the list of samples that rows are numbers in; each extraction makes another. */
  readonly snapshot: string;
  readonly images: number;
  readonly failed: number;
  readonly classes: readonly { readonly label: string; readonly images: number }[];
  readonly splits: Readonly<Partial<Record<Split, number>>>;
  /** Of the features that are chosen. */
  readonly engine: string;
  readonly cut: string;
  readonly contract: string;
  /** The name of those that the page is seen through. */
  readonly chosen: string;
  /** All that it can be seen through, those of the primary network first. */
  readonly features: readonly FeaturesFacts[];
}

/** A cut of a network whose features the data set has. */
export interface FeaturesFacts {
  /** What the cut is called in this store; the value of the query's `features`. */
  readonly name: string;
  readonly network: string;
  readonly cut: string;
  readonly engine: string;
  readonly contract: string;
  /** How its features can be pooled. */
  readonly poolings: readonly PoolingChoice[];
}

/** The likeliest class of an image. */
export interface HeadVerdict {
  readonly label: string;
  readonly probability: number;
}

/** A head's verdict on a stored image. */
export interface StoredVerdict extends HeadVerdict {
  /** Whether the head was trained on a file of the same content: then it is no measure. Null where it is not known. */
  readonly trainedOn: boolean | null;
  /** Whether this was said by a head that was fitted without the image, as the table of answers has it. */
  readonly outOfFold: boolean;
}

export interface BrowseRow extends ImageCard {
  /** Of the chosen head; null where none was chosen. */
  readonly verdict: StoredVerdict | null;
}

export interface BrowsePage {
  readonly snapshot: string;
  /** Images that pass the filter, on all pages. */
  readonly total: number;
  readonly page: number;
  readonly pages: number;
  readonly rows: readonly BrowseRow[];
}

/** Probabilities of one head, likeliest first. */
export interface HeadAnswer {
  readonly head: string;
  readonly name: string;
  readonly pooling: string;
  /** At most ten classes. */
  readonly classes: readonly HeadVerdict[];
  /** Whether the head's own rule says that the image is of no known class; null where it has none or was not asked. */
  readonly unknown: boolean | null;
  /** How unusual the image is, in words, where it is unknown; else null. */
  readonly unusual: string | null;
  /** Whether the head was trained on a file of the same content; null where its file does not tell. */
  readonly trainedOn: boolean | null;
  readonly problem: string | null;
}

interface JudgedImage {
  readonly snapshot: string;
  readonly answers: readonly HeadAnswer[];
  readonly neighbors: readonly NearImage[];
}

export interface ImageView extends ImageCard, ImageFacts, JudgedImage {
  /** The label that a review gave it; null where none did. */
  readonly decided: string | null;
}

/** A point in the plane of the map. */
export interface MapPlace {
  readonly x: number;
  readonly y: number;
}

export interface SearchAnswer extends Omit<ImageFacts, 'orientation'>, JudgedImage {
  /** The mean of the nearest images that are on the map, the nearer the heavier; null while there is no map. */
  readonly place: MapPlace | null;
  /** Where another engine than that of the stored features answered: which, and how far the two agree; else null. */
  readonly engine: string | null;
  /** Milliseconds from the last byte received to the answer, and of them in the network. */
  readonly ms: { readonly total: number; readonly network: number };
}

/** The map of the features, or why there is none (yet). */
export type MapAnswer =
  | { readonly state: 'drawing' }
  | { readonly state: 'missing'; readonly reason: string }
  | {
      readonly state: 'ready';
      readonly snapshot: string;
      readonly points: readonly (ImageCard & MapPlace)[];
      readonly leftOut: number;
      readonly nNeighbors: number;
    };

export interface TaughtClass {
  readonly id: number;
  readonly name: string;
  /** In the order in which they came. */
  readonly images: readonly TaughtImage[];
}

export interface TaughtImage {
  readonly id: number;
  readonly name: string;
  readonly sha256: string;
}

export interface TaughtHead {
  /** Milliseconds of fitting, without cross-validation. */
  readonly fitMs: number;
  readonly converged: boolean;
  readonly images: number;
  /** Accuracy on images that the head of their fold did not see; null with the reason where there are too few. */
  readonly validated:
    | {
        readonly accuracy: number;
        readonly interval: readonly [number, number];
        readonly images: number;
        readonly folds: number;
        /** Groups of images that stay together: copies, and what one take of the camera gave. */
        readonly groups: number;
        readonly ms: number;
      }
    | { readonly missing: string };
}

export interface TeachState {
  readonly classes: readonly TaughtClass[];
  readonly canUndo: boolean;
  /** A head needs two classes with images: the reason where there is none. */
  readonly head: TaughtHead | { readonly missing: string };
}

/** A file or folder that was written for the user. */
export interface Saved {
  readonly path: string;
  /** The command that goes on with it. */
  readonly command: string;
}

/** An image whose label the other images contradict, and what the user decided. */
export interface SuspectCard extends ImageCard {
  readonly suggested: string;
  readonly probability: number;
  readonly margin: number;
  /** The label that it shall have; null where nothing was decided yet. */
  readonly decided: string | null;
}

export interface ReviewState {
  readonly snapshot: string;
  readonly suspects: readonly SuspectCard[];
  /** How many labels are wrong, as estimated by confident learning. */
  readonly labelErrors: number;
  /** Images that were decided about and are no suspects. */
  readonly others: readonly (ImageCard & { readonly decided: string })[];
  readonly classes: readonly string[];
  /** Number of images decided about in this data set, those that are no suspects any more included. */
  readonly decided: number;
  readonly changed: number;
  readonly canUndo: boolean;
}
