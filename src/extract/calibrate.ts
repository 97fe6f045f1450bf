import { calibrationDigest, type Int8Calibration } from '../core/calibration.ts';
import { PermafrostError } from '../core/errors.ts';
import { isLayerBackbone, type Backbone } from './backbones/backbone.ts';
import { layersUpTo } from './backbones/cut-layers.ts';
import type { DecodedImage } from './image/decoded-images.ts';
import { createEngine } from './engines/index.ts';
import { calibratedTensors, calibrateGraph } from './onnx/int8/calibrate-graph.ts';
import type { NetworkProgram, Quantization } from './program.ts';

/** Whose ranges are wanted. */
export type CalibrationTarget = NetworkProgram & {
  /** The deepest layer that will run. */
  readonly cut: string;
};

/** The tensors whose ranges a cut needs: of lists of layers all layers up to it. */
export const calibratedNames = (backbone: Backbone, cut: string): readonly string[] =>
  isLayerBackbone(backbone) ? layersUpTo(backbone, cut).map(({ name }) => name) : calibratedTensors(backbone, cut);

/**
 * How it is done. Of lists of layers: from 0 to the largest value on any image; percentiles of the images' maxima gave
 * the same cosine within 0.0002. Of graphs: from the least to the largest (docs/int8.md has what was tried), and biases
 * without the mean of what rounding the weights adds (meanShifts).
 */
const METHODS = { layers: 'min-max', graphs: 'min-max, biases corrected' } as const;

/** The maximum of each channel, of which the largest is the layer's; after a ReLU the least value is 0. */
async function layerRanges(
  { cut, ...target }: Extract<CalibrationTarget, { readonly weights: unknown }>,
  images: readonly DecodedImage[],
  threads: number,
  onImage: () => void,
): Promise<Int8Calibration['ranges']> {
  const layers = calibratedNames(target.backbone, cut);
  const largest = new Float64Array(layers.length);
  const outputs = layers.map((layer) => ({ cut: layer, pooling: 'max' }) as const);
  const executable = await (await createEngine('onnxruntime', { threads })).load({ ...target, outputs });
  try {
    for (const { pixels } of images) {
      const maxima = await executable.run(pixels, 1);
      maxima.forEach(({ data }, i) => (largest[i] = data.reduce((a, b) => Math.max(a, b), largest[i]!)));
      onImage();
    }
  } finally {
    await executable.dispose();
  }
  return Object.fromEntries(layers.map((layer, i) => [layer, { min: 0, max: largest[i]! }]));
}

export interface CalibrateOptions {
  /** Of ONNX Runtime on the CPU. Default: one per physical core. */
  readonly threads?: number;
  readonly onImage?: () => void;
}

/**
 * Finds the range of each layer's output on `images`, or of each tensor of a graph that int8 rounds, in float32 on ONNX
 * Runtime. Throws OPTION_INVALID where `images` is empty or int8 cannot be made of a graph, and what the engine throws.
 */
export async function calibrate(
  target: CalibrationTarget,
  images: readonly DecodedImage[],
  { threads = 0, onImage = () => undefined }: CalibrateOptions = {},
): Promise<Int8Calibration> {
  if (images.length === 0) {
    throw new PermafrostError(
      'OPTION_INVALID',
      'int8 is calibrated on training images, and not one of them can be read. Give readable images, or take --precision fp32.',
    );
  }
  const digests = images.map(({ sha256 }) => sha256);
  if ('weights' in target) {
    const ranges = await layerRanges(target, images, threads, onImage);
    return { method: METHODS.layers, images: digests, ranges };
  }
  const found = await calibrateGraph(target, target.cut, images, threads, onImage);
  return { method: METHODS.graphs, images: digests, ...found };
}

/**
 * The part of a calibration that a cut needs; a layer's range does not depend on the layers after it. So features of a
 * cut have one fingerprint, whatever ran beyond it in the same pass. Throws OPTION_INVALID where it lacks a range.
 */
export function calibrationUpTo(calibration: Int8Calibration, backbone: Backbone, cut: string): Int8Calibration {
  const names = calibratedNames(backbone, cut);
  const ranges = names.map((name) => {
    const range = calibration.ranges[name];
    if (range !== undefined) return [name, range] as const;
    throw new PermafrostError(
      'OPTION_INVALID',
      `The calibration has no range for ${name}, which ${cut} needs: of cuts that do not lie behind each other int8 is calibrated one by one. Extract ${cut} by itself.`,
    );
  });
  const means = names.flatMap((name) => {
    const mean = calibration.means?.[name];
    return mean === undefined ? [] : [[name, mean] as const];
  });
  return {
    ...calibration,
    ranges: Object.fromEntries(ranges),
    ...(calibration.means && { means: Object.fromEntries(means) }),
  };
}

/** A stored calibration as engines take it. */
export function quantizationOf(calibration: Int8Calibration): Quantization {
  const { ranges, means } = calibration;
  return {
    digest: calibrationDigest(calibration),
    ranges: new Map(Object.entries(ranges)),
    ...(means && { means: new Map(Object.entries(means)) }),
  };
}
