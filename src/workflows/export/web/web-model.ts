import type { Contract } from '../../../core/contract.ts';

/** What `model.json` says of the exported head, beside which it lies. */
export interface WebModel {
  readonly format: 'permafrost-web';
  readonly version: 1;
  readonly title: string;
  readonly file: string;
  /** Bytes of the file, and SHA-256 of them in hex digits. */
  readonly bytes: number;
  readonly sha256: string;
  /** In the order of the probabilities. */
  readonly classes: readonly string[];
  /** The kind of head, and its networks. */
  readonly head: string;
  readonly backbone: string;
  /** How images enter each network; all of them look at a picture in one way (`orientation`, `alpha`). */
  readonly contracts: readonly [Contract, ...Contract[]];
  /** When an image is unusual: its novelty is above the threshold. Null for a head without such a rule. */
  readonly unusual: { readonly measure: string; readonly threshold: number; readonly rate: number } | null;
  /** The version of permafrost that wrote it. */
  readonly permafrost: string;
}

/** What the head says of an image. */
export interface WebAnswer {
  /** The likeliest class, also where the image is unusual. */
  readonly label: string;
  readonly probability: number;
  readonly probabilities: Readonly<Record<string, number>>;
  /** Whether the image is unlike those that the head was trained on; false for a head without such a rule. */
  readonly unusual: boolean;
  /** The larger the stranger; null for a head without such a rule. */
  readonly novelty: number | null;
  /** From pixels to probabilities. */
  readonly milliseconds: number;
}
