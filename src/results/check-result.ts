import type { Split } from '../core/sample.ts';

/** An image of val or test whose copy lies in train: of several copies one with another label, if there is one. */
export interface LeakResult {
  readonly train: string;
  readonly held: string;
  readonly split: Split;
  /** Equal bytes, or features with a cosine above the threshold. */
  readonly kind: 'exact' | 'near';
  readonly cosine: number;
  readonly sameLabel: boolean;
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
  /** Images whose features were compared: what is told of near duplicates, suspects and accuracy is about these. */
  readonly compared: number;
  /** Groups of files with equal bytes, among all images. */
  readonly exact: readonly (readonly string[])[];
  /** Pairs of other files with nearly equal features, the most similar first. One stands for all its equals. */
  readonly near: readonly { readonly a: string; readonly b: string; readonly cosine: number }[];
  /** Pairs of images with alike pooled features that were not compared by their maps, because there are too many. */
  readonly nearLeftOut: number;
  /** Why these were not looked for; null where they were. */
  readonly nearMissing: string | null;
  readonly threshold: number;
  /** Each image of val and test that has a copy in train, once: an equal one if there is one, else the nearest. */
  readonly leaks: readonly LeakResult[];
  /** Images of val and test that have a copy in train. */
  readonly leakedImages: number;
  /** Of one head on the validated images: all of them, and those without a copy in train. Null where there are none. */
  readonly accuracy: { readonly head: string; readonly all: CheckedAccuracy; readonly clean: CheckedAccuracy } | null;
  /** Labels that the others contradict, the most suspect first; margin: their probability less the suggestion's. */
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
