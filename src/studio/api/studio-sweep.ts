import type { SweepScore } from '../../results/sweep-result.ts';

/** `chosen`: swept where the user chooses nothing. */
export interface SweepValue {
  readonly value: string;
  readonly chosen: boolean;
}

/** What a sweep can be asked for. Values in one string are separated by commas. */
export interface SweepChoices {
  readonly heads: readonly {
    readonly name: string;
    readonly describe: string;
    /** Names of those `options` that the head has. */
    readonly options: readonly string[];
    readonly chosen: boolean;
  }[];
  /** Cut layers, where the data set has features of several; else empty. */
  readonly cut: readonly SweepValue[];
  /** Those that the store has. */
  readonly pooling: readonly SweepValue[];
  readonly normalize: readonly SweepValue[];
  /** Numbers of principal components, and the values where none are given. */
  readonly pca: { readonly describe: string; readonly values: string };
  /** Numbers of stored views to train on too; null where the store has none. */
  readonly views: { readonly describe: string; readonly values: string } | null;
  /** Options of heads, and their values in words where none are given; empty for the head's default. */
  readonly options: readonly { readonly name: string; readonly describe: string; readonly values: string }[];
  readonly folds: number;
  readonly score: SweepScore;
}

/** A line of the leaderboard. */
export interface SweepLine {
  readonly id: string;
  /** The head with the options that are not its defaults. */
  readonly head: string;
  /** Cut, pooling, normalisation, principal components, views. */
  readonly features: string;
  /** Cross-validated on the training images. */
  readonly accuracy: number;
  readonly interval: readonly [number, number];
  readonly balancedAccuracy: number;
  readonly logLoss: number;
  readonly fitMs: number;
  /** Known from an earlier sweep. */
  readonly reused: boolean;
  /** Whether it differs from the best; null until all is known. */
  readonly toldApart: boolean | null;
}

export interface SweepState {
  readonly state: 'none' | 'running' | 'done' | 'stopped' | 'failed';
  readonly done: number;
  readonly total: number;
  readonly score: SweepScore;
  /** Notes of the sweep: samples, candidates that are passed over. */
  readonly remarks: readonly string[];
  /** The best first. */
  readonly lines: readonly SweepLine[];
  /** By which test the lines are told from the best, in words; null until all is known. */
  readonly comparedBy: string | null;
  /** The best, fitted on all training images and measured on the validation images. */
  readonly best: {
    readonly head: string;
    readonly accuracy: number;
    readonly interval: readonly [number, number];
    readonly validated: number;
    /** How often the validation images were looked at, in words; empty where that was not counted. */
    readonly looks: string;
    readonly file: string | null;
  } | null;
  readonly problem: string | null;
}
