import type { Contract } from '../../../core/contract.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import type { ImageHeader } from '../jpeg-header.ts';
import type { WebpSize } from './to-webp.ts';

/** What a process of its own makes of the bytes of one image: the contract's square, or a WebP file. Plain data. */
export type ImageTask =
  | {
      readonly kind: 'square';
      readonly bytes: Uint8Array;
      readonly contract: Contract;
      readonly mostPixels: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'webp'; readonly bytes: Uint8Array; readonly size: WebpSize; readonly quality: number };

export type ImageAnswer =
  | { readonly kind: 'square'; readonly header: ImageHeader; readonly pixels: Uint8Array }
  | { readonly kind: 'webp'; readonly file: Uint8Array }
  | { readonly kind: 'failure'; readonly code: ErrorCode; readonly message: string };
