import type { HeadResult } from './head-result.ts';
import type { PoolingChoice } from '../core/sample.ts';
import type { Comparison } from '../classify/cross-validation/compare.ts';
import type { Normalization } from '../classify/normalize.ts';
import type { SweepScore, CrossScores } from '../classify/cross-validation/cross-scores.ts';

export {
  SWEEP_SCORES,
  type CrossScore,
  type CrossScores,
  type SweepScore,
} from '../classify/cross-validation/cross-scores.ts';

/** What decides a candidate's result beside the data, the folds and the seed. */
export interface SweepConfiguration {
  readonly head: string;
  /** All options of the head, resolved. */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Cut layers side by side, as `train --cut` takes them; empty: the deepest that was extracted. */
  readonly cut: string;
  /** Of the cuts that name no pooling of their own. */
  readonly pooling: PoolingChoice;
  readonly normalize: Normalization;
  /** Principal components, 0 for none. */
  readonly pca: number;
  /** Stored views of each training image that the head is trained on beside the image itself. */
  readonly views: number;
}

/** A configuration with what cross-validation on Train found. */
export interface SweepCandidate extends SweepConfiguration {
  /** Digest of the configuration, the features, the training images, the folds and the seed: 16 hex digits. */
  readonly id: string;
  /** Those of `params` that are not the head's defaults. */
  readonly changed: Readonly<Record<string, number | string | boolean>>;
  readonly scores: CrossScores;
  /** Milliseconds for all folds on one thread, less shared work. The only field that differs from run to run. */
  readonly fitMs: number;
  readonly converged: boolean;
  /** The most of any fold. */
  readonly iterations: number;
  /** Whether it was known from a sweep before. */
  readonly reused: boolean;
}

/** A candidate in its place. */
export interface RankedCandidate extends SweepCandidate, Comparison {
  /** 1 is the best. */
  readonly rank: number;
}

/** Every configuration of a sweep in its place, and the best one fitted. */
export interface SweepResult {
  readonly store: string;
  readonly score: SweepScore;
  readonly folds: number;
  readonly seed: number;
  /** Training images; validation images had no part in the ranking. */
  readonly images: number;
  /** Those of them that were cross-validated: all, or a sample. */
  readonly crossValidated: number;
  /** Classes that were cross-validated. */
  readonly classes: readonly string[];
  /** Classes with one training image, which were not, and that the best is fitted on all the same; absent for none. */
  readonly leftOut?: readonly string[];
  readonly workers: number;
  /** Candidates computed by this call, and those known before it. */
  readonly computed: number;
  readonly reused: number;
  /** Configurations that could not be fitted, and why. */
  readonly skipped: readonly (SweepConfiguration & { readonly reason: string })[];
  /** The best first. */
  readonly candidates: readonly RankedCandidate[];
  /** Candidates beside the best that cannot be told from it. */
  readonly notToldApart: number;
  /** The best, fitted on all of Train and measured once on the validation images. `file`: null if not saved. */
  readonly best: HeadResult;
  /** Better candidates that cannot be fitted on all of Train within the memory, and why: mostly none. */
  readonly passedOver: readonly { readonly rank: number; readonly reason: string }[];
  /** The file of results that sweeps of these training images, or of this sample of them, share. */
  readonly ledger: string;
  readonly seconds: Readonly<{ load: number; sweep: number; best: number }>;
}
