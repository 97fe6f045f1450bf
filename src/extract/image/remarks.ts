import type { Contract } from '../../core/contract.ts';
import type { ImageHeader } from './jpeg-header.ts';

/** What is odd about an image that was decoded without a failure. */
export interface Remark {
  /** Its one colour, RGB, where all pixels of the square have it. */
  readonly oneColour?: readonly [number, number, number];
  /** True where some of it was transparent. */
  readonly hasAlpha: boolean;
  /** True for grey of 16 bits that was cut off at 255, as Pillow does. */
  readonly isClipped: boolean;
}

/** The colour of a picture, uint8 RGB, where it has but one. Ends at the first pixel of another. */
function oneColour(pixels: Uint8Array): Remark['oneColour'] {
  for (let i = 3; i < pixels.length; i++) if (pixels[i] !== pixels[i - 3]) return undefined;
  return [pixels[0]!, pixels[1]!, pixels[2]!];
}

/** What is odd about a decoded square; undefined for ordinary ones. */
export function remarkOn(
  pixels: Uint8Array,
  { hasAlpha, special }: ImageHeader,
  contract: Contract,
): Remark | undefined {
  const colour = oneColour(pixels);
  const isClipped = special?.samples?.kind === 'grey16' && contract.alpha === 'drop';
  if (colour === undefined && !isClipped) return undefined;
  return { ...(colour && { oneColour: colour }), hasAlpha, isClipped };
}
