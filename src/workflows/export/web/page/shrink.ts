import type { Contract } from '../../../../core/contract.ts';
import { placement } from '../../../../extract/image/geometry.ts';
import { resample } from '../../../../extract/image/resample.ts';
import type { Pixels } from './pixels.ts';

/** Above so many pixels the resize of the model takes longer than its network, and memory that phones lack. */
const LARGE = 2 ** 20;
/** A strip of a picture would need a large square here. */
const MOST_STRETCH = 4;

/**
 * A large picture at the size that its contract scales it to, by the very arithmetic of the model, which then finds
 * nothing left to resize: a head on EfficientNet-Lite0 answers for 12 megapixels in an eighth of the time. Others, and
 * what the arithmetic does not cover, stay.
 */
export function shrunk(pixels: Pixels, contract: Contract): Pixels {
  const { width, height } = pixels;
  const { kernel, size, antialias, rounding } = contract;
  const isCovered = kernel !== 'nearest' && antialias !== false && rounding === 'pillow';
  if (!isCovered || width * height <= LARGE) return pixels;
  const scaled = placement(contract, width, height);
  const side = Math.max(scaled.width, scaled.height);
  if (scaled.width > width || scaled.height > height || side > MOST_STRETCH * size) return pixels;
  // The whole picture, in the corner of a square that holds it.
  const square = resample({ ...pixels, channels: 3 }, { ...scaled, left: 0, top: 0 }, side, kernel);
  const data = new Uint8Array(scaled.width * scaled.height * 3);
  for (let y = 0; y < scaled.height; y++)
    data.set(square.subarray(y * side * 3, (y * side + scaled.width) * 3), y * scaled.width * 3);
  return { data, width: scaled.width, height: scaled.height };
}
