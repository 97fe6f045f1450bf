import type { WebModel } from '../web-model.ts';

export type { WebModel } from '../web-model.ts';

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

/** What the page asks its worker for. */
export type Question =
  { readonly kind: 'open' } | { readonly kind: 'predict'; readonly id: number; readonly image: Blob | ImageBitmap };

/** What the worker says. */
export type Told =
  | { readonly kind: 'loading'; readonly loaded: number; readonly total: number }
  | { readonly kind: 'opened'; readonly model: WebModel; readonly threads: number }
  | { readonly kind: 'unopened'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: WebAnswer }
  | { readonly kind: 'problem'; readonly id: number; readonly message: string };
