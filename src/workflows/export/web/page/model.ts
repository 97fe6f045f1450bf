import type { WebAnswer, WebModel } from '../web-model.ts';

export type { WebAnswer, WebModel } from '../web-model.ts';

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
