import type { OrReason } from './or-reason.ts';
import type { CheckResult } from './check-result.ts';
import type { HeadResult, RunResult } from './head-result.ts';
import type { InspectResult } from './store-results.ts';
import type { Split } from '../core/sample.ts';
import type { CalibrationCurve } from '../classify/evaluate/calibration-bins.ts';

export { present, type OrReason } from './or-reason.ts';
export type { CalibrationCurve, CalibrationBin } from '../classify/evaluate/calibration-bins.ts';

/** An image of the data set; elsewhere images are numbers: indices into `ReportData.images`. */
export interface ReportImage {
  readonly path: string;
  readonly label: string;
  readonly split: Split;
}

/** A validated image, what the head takes it for, and the training images that look most like it. */
export interface JudgedImage {
  readonly image: number;
  readonly predicted: string;
  readonly probability: number;
  /** Nearest first, by cosine distance of average-pooled features. */
  readonly neighbors: readonly { readonly image: number; readonly distance: number }[];
}

export interface ReportClass {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/** What the saved best head says of the validated images that the store holds now. */
export interface Judgement {
  readonly head: Pick<HeadResult, 'name' | 'pooling' | 'normalize' | 'params'>;
  readonly file: string;
  readonly split: Split;
  /** Validated images, of which the figures are; `judged` has those of the page. */
  readonly validated: number;
  readonly accuracy: number;
  readonly interval: readonly [number, number];
  readonly classes: readonly ReportClass[];
  /** Rows are true classes, columns predicted ones, both in the order of `classes`. */
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: CalibrationCurve;
  readonly judged: readonly JudgedImage[];
  /** Indices into `judged`, the surest mistake first. */
  readonly mistakes: readonly number[];
  /** Indices into `judged` of those called unknown, the strangest first; null for a head without such a rule. */
  readonly unknown: readonly number[] | null;
  /** Where the data set or the head is no longer what results.json tells of: what differs. */
  readonly caution: string | null;
}

/** Images in the plane, shape (images.length) each; neighbours in features are near, distances mean little. */
export interface FeatureMap {
  readonly images: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly nNeighbors: number;
  readonly seed: number;
  /** Images that are not on it, because the sample was drawn without them. */
  readonly leftOut: number;
}

export interface Thumbnails {
  /** WebP files in base64, by image. */
  readonly data: ReadonlyMap<number, string>;
  /** Images that the report shows nowhere, or that the budget did not reach. */
  readonly overBudget: number;
  /** Images whose file is gone, is another one now, or does not decode; and the first reason. */
  readonly unavailable: number;
  readonly problem: string | null;
}

/** Smallest, middle and largest value. */
export type Range3 = readonly [least: number, median: number, most: number];

/** Everything that a report shows. */
export interface ReportData {
  readonly permafrost: string;
  readonly store: InspectResult;
  /** The images that the page can show, by path: all with features, or a sample of the `store.images`. */
  readonly images: readonly ReportImage[];
  /** Images that count under another label or split than the store's; null where no list of labels was given. */
  readonly relabelled: number | null;
  /** Pixels as stored; null for no images. */
  readonly sizes: { readonly width: Range3; readonly height: Range3 } | null;
  /** What the last run reported. */
  readonly run: OrReason<RunResult>;
  readonly judgement: OrReason<Judgement>;
  readonly check: CheckResult;
  readonly map: OrReason<FeatureMap>;
  readonly thumbnails: Thumbnails;
}

/** The page that was written. */
export interface ReportResult {
  readonly store: string;
  readonly file: string;
  readonly bytes: number;
  /** Images that the page can show, of how many. */
  readonly images: number;
  readonly ofImages: number;
  readonly thumbnails: number;
  /** Images without a picture: left out by the budget, and those whose file is gone, changed or broken. */
  readonly overBudget: number;
  readonly unavailable: number;
  /** Images on the map, 0 where there is none. */
  readonly mapped: number;
}
