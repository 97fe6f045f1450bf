import type { Pooling, Split } from '../../core/sample.ts';

/** An image of the store, named by its row in the list of samples of one snapshot. */
export interface ImageCard {
  readonly row: number;
  readonly path: string;
  readonly label: string;
  readonly split: Split;
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
  readonly pooling: Pooling;
  readonly classes: readonly string[];
  /** Images that it was trained on. */
  readonly trained: number;
  /** Why it cannot be asked about this store's features; null where it can. */
  readonly problem: string | null;
}

/** What there is to look at. */
export interface StoreFacts {
  readonly store: string;
  readonly dataset: string;
  /** Names the list of samples that rows are numbers in; another extraction makes another one. */
  readonly snapshot: string;
  readonly images: number;
  readonly failed: number;
  readonly classes: readonly { readonly label: string; readonly images: number }[];
  readonly splits: Readonly<Partial<Record<Split, number>>>;
  readonly engine: string;
  readonly cut: string;
  readonly contract: string;
}

/** What a head says of one stored image. */
export interface HeadVerdict {
  readonly label: string;
  readonly probability: number;
}

export interface BrowseRow extends ImageCard {
  /** Of the chosen head; null where none was chosen. */
  readonly verdict: HeadVerdict | null;
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
  readonly pooling: Pooling;
  /** At most ten classes. */
  readonly classes: readonly { readonly label: string; readonly probability: number }[];
  /**
   * Whether the head's own rule calls the image one of no class that it knows; null where it has none, or was not
   * asked.
   */
  readonly unknown: boolean | null;
  readonly problem: string | null;
}

export interface ImageView extends ImageCard {
  readonly snapshot: string;
  readonly sha256: string;
  /** Pixels as stored in the file, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly answers: readonly HeadAnswer[];
  readonly neighbors: readonly NearImage[];
  /** The label that a review gave it; null where none did. */
  readonly decided: string | null;
}

/** A point in the plane of the map. */
export interface MapPlace {
  readonly x: number;
  readonly y: number;
}

export interface SearchAnswer {
  readonly snapshot: string;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly answers: readonly HeadAnswer[];
  readonly neighbors: readonly NearImage[];
  /** The mean of the nearest images that are on the map, the nearer the heavier; null while there is no map. */
  readonly place: MapPlace | null;
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

/** One class that is taught, with its images in the order in which they came. */
export interface TaughtClass {
  readonly id: number;
  readonly name: string;
  readonly images: readonly TaughtImage[];
}

export interface TaughtImage {
  readonly id: number;
  readonly name: string;
  readonly sha256: string;
}

export interface TaughtHead {
  /** Milliseconds of fitting and, apart, of cross-validation. */
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
  /** Images that were decided about and are no suspects. */
  readonly others: readonly (ImageCard & { readonly decided: string })[];
  readonly classes: readonly string[];
  /** Decisions of all reviews of this data set, those about images that are no suspects any more among them. */
  readonly decided: number;
  readonly changed: number;
  readonly canUndo: boolean;
}
