import { PermafrostError } from '../core/errors.ts';
import { cosine, row } from '../core/matrix.ts';
import type { DecodedImage } from './image/decoded-images.ts';
import type { Executable } from './engines/engine.ts';

/** Cosines between the features of int8 and those of fp32, on images that int8 was not calibrated on. */
export interface CosineToFp32 {
  readonly images: number;
  readonly min: number;
  readonly mean: number;
}

/** Compares each output of both executables on `images`. Throws OPTION_INVALID without images, and what they throw. */
export async function agreement(
  found: Executable,
  reference: Executable,
  images: readonly DecodedImage[],
  onImage: () => void = () => undefined,
): Promise<CosineToFp32[]> {
  if (images.length === 0) {
    throw new PermafrostError(
      'OPTION_INVALID',
      'int8 is measured on images that it was not calibrated on, and there is none. Give two readable images or more, or take --precision fp32.',
    );
  }
  const cosines: number[][] = [];
  for (const { pixels } of images) {
    const a = await found.run(pixels, 1);
    const b = await reference.run(pixels, 1);
    a.forEach((features, o) => (cosines[o] ??= []).push(cosine(row(features, 0), row(b[o]!, 0))));
    onImage();
  }
  return cosines.map((values) => ({
    images: values.length,
    min: Math.min(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  }));
}
