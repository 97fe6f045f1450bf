import { calibrationDigest, type Int8Calibration } from '../core/calibration.ts';
import { PermafrostError } from '../core/errors.ts';
import { isLayerBackbone, type Backbone } from './backbones/backbone.ts';
import { layersUpTo } from './backbones/cut-layers.ts';
import type { DecodedImage } from './image/decoded-images.ts';
import type { Engine } from './engines/engine.ts';
import type { NetworkProgram, Quantization } from './program.ts';

/** Whose ranges are wanted. */
export type CalibrationTarget = NetworkProgram & {
  /** The deepest layer that will run. */
  readonly cut: string;
};

/** The layers up to a cut. Throws OPTION_INVALID for a graph. */
function calibratedLayers(backbone: Backbone, cut: string): readonly string[] {
  if (isLayerBackbone(backbone)) return layersUpTo(backbone, cut).map(({ name }) => name);
  throw new PermafrostError(
    'OPTION_INVALID',
    `int8 is for lists of layers (VGG16, VGG19) so far, and ${backbone.name} is a graph. Take --precision fp32 or bf16.`,
  );
}

/** From 0 to the largest value on any image: percentiles of the images' maxima gave the same cosine within 0.0002. */
const METHOD = 'min-max';

/**
 * Finds the range of each layer's output on `images`, in float32: the maximum of each channel; after a ReLU the least
 * value is 0. Throws OPTION_INVALID where `images` is empty, and what the engine throws.
 */
export async function calibrate(
  engine: Engine,
  { cut, ...target }: CalibrationTarget,
  images: readonly DecodedImage[],
  onImage: () => void = () => undefined,
): Promise<Int8Calibration> {
  if (images.length === 0) {
    throw new PermafrostError(
      'OPTION_INVALID',
      'int8 is calibrated on training images, and not one of them can be read. Give readable images, or take --precision fp32.',
    );
  }
  const layers = calibratedLayers(target.backbone, cut);
  const largest = new Float64Array(layers.length);
  const outputs = layers.map((layer) => ({ cut: layer, pooling: 'max' }) as const);
  const executable = await engine.load({ ...target, outputs });
  try {
    for (const { pixels } of images) {
      const maxima = await executable.run(pixels, 1);
      maxima.forEach(({ data }, i) => (largest[i] = data.reduce((a, b) => Math.max(a, b), largest[i]!)));
      onImage();
    }
  } finally {
    await executable.dispose();
  }
  return {
    method: METHOD,
    images: images.map(({ sha256 }) => sha256),
    ranges: Object.fromEntries(layers.map((layer, i) => [layer, { min: 0, max: largest[i]! }])),
  };
}

/**
 * The part of a calibration that a cut needs; a layer's range does not depend on the layers after it. So features of a
 * cut have one fingerprint, whatever ran beyond it in the same pass.
 */
export function calibrationUpTo(calibration: Int8Calibration, backbone: Backbone, cut: string): Int8Calibration {
  const ranges = calibratedLayers(backbone, cut).map((name) => [name, calibration.ranges[name]!] as const);
  return { ...calibration, ranges: Object.fromEntries(ranges) };
}

/** A stored calibration as engines take it. */
export function quantizationOf(calibration: Int8Calibration): Quantization {
  return { digest: calibrationDigest(calibration), ranges: new Map(Object.entries(calibration.ranges)) };
}
