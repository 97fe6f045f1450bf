import type { Split } from '../core/sample.ts';

/** An image of val or test whose copy lies in train: of several copies one with another label, if there is one. */
export interface LeakResult {
  readonly train: string;
  readonly held: string;
  readonly split: Split;
  /** Equal bytes, or another file of the same picture. */
  readonly kind: 'exact' | 'near';
  /** Of the features, as in CopyResult. */
  readonly cosine: number;
  readonly correlation: number | null;
  readonly mirrored: boolean;
  readonly sameLabel: boolean;
}

/**
 * Two files of one picture that are not equal: encoded again, smaller, grey, mirrored, cut, with a border or the like.
 */
export interface CopyResult {
  readonly a: string;
  readonly b: string;
  /** Of their pooled features; of whole maps where no pixels could be compared. */
  readonly cosine: number;
  /**
   * Of their grey values, one laid over the other, 0.9 to 1; null where their pixels tell nothing or cannot be read.
   */
  readonly correlation: number | null;
  readonly mirrored: boolean;
}

/** How a head does on some images. */
export interface CheckedAccuracy {
  readonly images: number;
  readonly accuracy: number;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [number, number];
}

/** What could be wrong with a data set. Images are named by their paths. */
export interface CheckResult {
  readonly store: string;
  readonly images: number;
  /** Images that were compared: what is told of copies that are not equal files, suspects and accuracy is of these. */
  readonly compared: number;
  /** Groups of files with equal bytes, among all images. */
  readonly exact: readonly (readonly string[])[];
  /** Copies that are not equal, the most alike first. One stands for all its equals. */
  readonly near: readonly CopyResult[];
  /** Pairs that may be copies and were not compared, because there are too many. */
  readonly nearLeftOut: number;
  /** Why these were not looked for; null where they were. */
  readonly nearMissing: string | null;
  /** Compared images whose files cannot be read any more: copies among them are found by features alone. */
  readonly unread: number;
  /**
   * Pairs that are no copies and have alike maps, the most alike first: the same scene, or the like. They are no leaks.
   */
  readonly alike: readonly { readonly a: string; readonly b: string; readonly cosine: number }[];
  /** Why these were not looked for; null where they were. */
  readonly alikeMissing: string | null;
  /** Cosine of whole maps from which they are alike. */
  readonly threshold: number;
  /** Each image of val and test that has a copy in train, once: an equal one if there is one, else the most alike. */
  readonly leaks: readonly LeakResult[];
  /** Images of val and test that have a copy in train. */
  readonly leakedImages: number;
  /** Of one head on the validated images: all of them, and those without a copy in train. Null where there are none. */
  readonly accuracy: { readonly head: string; readonly all: CheckedAccuracy; readonly clean: CheckedAccuracy } | null;
  /** How many labels are wrong, as estimated by confident learning. */
  readonly labelErrors: number;
  /**
   * So many labels that the others contradict, as far as they are told, the most suspect first; margin: their
   * probability less the suggestion's.
   */
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
