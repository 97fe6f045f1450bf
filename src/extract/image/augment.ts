import { PermafrostError } from '../../core/errors.ts';
import { sampleAffine, viewAffine } from './affine.ts';
import type { ViewParameters } from './view-parameters.ts';

/** Multiplies 8-bit values in place, to the byte of Pillow's ImageEnhance.Brightness: float32, cut off (Blend.c). */
function brighten(values: Uint8ClampedArray, factor: number): void {
  const float32 = Math.fround(factor);
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => Math.trunc(Math.fround(float32 * value)));
  for (let i = 0; i < values.length; i++) values[i] = table[values[i]!]!;
}

/**
 * One view of an image: uint8 RGB, shape (size, size, 3), to new pixels of the same shape. First the affine map and the
 * flip, then rounding to the nearest level (halves to even), then the brightness. Keras keeps float32 without
 * brightness and cuts the fraction off with it. Throws OPTION_INVALID where pixels and size do not fit.
 */
export function applyView(pixels: Uint8Array, size: number, parameters: ViewParameters): Uint8Array {
  if (!Number.isInteger(size) || size < 1 || pixels.length !== size * size * 3) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `A view of ${size} x ${size} RGB pixels needs ${size * size * 3} bytes, got ${pixels.length}.`,
    );
  }
  const out = new Uint8ClampedArray(pixels.length);
  sampleAffine(pixels, size, viewAffine(parameters, size), out);
  if (parameters.brightness !== 1) brighten(out, parameters.brightness);
  return new Uint8Array(out.buffer);
}
