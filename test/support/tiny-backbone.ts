import { rgbArithmetic } from '../../src/core/contract.ts';
import type { Matrix } from '../../src/core/matrix.ts';
import { random } from '../../src/core/random.ts';
import type { LayerBackbone, BackboneWeights, Layer } from '../../src/extract/backbones/backbone.ts';
import { mapPooling, outputShape } from '../../src/extract/backbones/cut-layers.ts';
import { expectedTensors, weightsDigest } from '../../src/extract/weights/fit-weights.ts';
import type { Output, LayerProgram } from '../../src/extract/program.ts';

/** A backbone from a list of filter counts; 0 is a pool. Layers are named conv1, conv2 ... and pool1, pool2 ... */
export function tinyBackbone(filterCounts: readonly number[]): LayerBackbone {
  const layers: Layer[] = [];
  let inputs = 3;
  let convs = 0;
  let pools = 0;
  for (const filters of filterCounts) {
    if (filters === 0) layers.push({ kind: 'maxPool', name: `pool${++pools}` });
    else {
      layers.push({ kind: 'conv', name: `conv${++convs}`, inputs, filters });
      inputs = filters;
    }
  }
  return { name: 'tiny', layers };
}

/** The same layers and names with `divisor` times fewer filters. */
export function slimmed(backbone: LayerBackbone, divisor: number): LayerBackbone {
  const layers = backbone.layers.map((layer, i): Layer => {
    if (layer.kind === 'maxPool') return layer;
    const inputs = i === 0 ? layer.inputs : layer.inputs / divisor;
    return { ...layer, inputs, filters: layer.filters / divisor };
  });
  return { name: `slim-${backbone.name}`, layers };
}

/** Normal weights that keep the activations' size from layer to layer (He et al., arXiv 1502.01852), small biases. */
export function randomWeights(backbone: LayerBackbone, seed: number): BackboneWeights {
  const generator = random(seed);
  const tensors = new Map(
    expectedTensors(backbone).map(({ name, shape }) => {
      const fanIn = shape.slice(0, -1).reduce((product, size) => product * size, 1);
      const scale = shape.length === 1 ? 0.1 : Math.sqrt(2 / fanIn);
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, data: Float32Array.from({ length }, () => generator.normal() * scale) }] as const;
    }),
  );
  return { tensors, digest: weightsDigest(tensors) };
}

/** Pixels of `count` images, uint8 NHWC. */
export function randomPixels(count: number, size: number, seed: number): Uint8Array {
  const generator = random(seed);
  return Uint8Array.from({ length: count * size * size * 3 }, () => generator.below(256));
}

/** One image's activation, NHWC, float64. */
interface Activation {
  readonly side: number;
  readonly channels: number;
  readonly data: Float64Array;
}

function naiveConv(input: Activation, layer: Layer & { kind: 'conv' }, weights: BackboneWeights): Activation {
  const kernel = weights.tensors.get(`${layer.name}/kernel`)!.data;
  const bias = weights.tensors.get(`${layer.name}/bias`)!.data;
  const { side, channels } = input;
  const data = new Float64Array(side * side * layer.filters);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let f = 0; f < layer.filters; f++) {
        let sum = bias[f]!;
        for (let ky = 0; ky < 3; ky++) {
          for (let kx = 0; kx < 3; kx++) {
            const sy = y + ky - 1;
            const sx = x + kx - 1;
            if (sy < 0 || sx < 0 || sy >= side || sx >= side) continue;
            for (let c = 0; c < channels; c++) {
              const weight = kernel[((ky * 3 + kx) * channels + c) * layer.filters + f]!;
              sum += weight * input.data[(sy * side + sx) * channels + c]!;
            }
          }
        }
        data[(y * side + x) * layer.filters + f] = Math.max(0, sum);
      }
    }
  }
  return { side, channels: layer.filters, data };
}

function naivePool({ side: from, channels, data: input }: Activation): Activation {
  const side = Math.floor(from / 2);
  const data = new Float64Array(side * side * channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < channels; c++) {
        const at = (dy: number, dx: number): number => input[((2 * y + dy) * from + 2 * x + dx) * channels + c]!;
        data[(y * side + x) * channels + c] = Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
      }
    }
  }
  return { side, channels, data };
}

/** Means, maxima or generalised means over height and width of a flattened NHWC activation. */
export function pooled(flat: ArrayLike<number>, channels: number, pooling: 'avg' | 'max' | 'gem'): number[] {
  const places = flat.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    const values = Array.from({ length: places }, (_unused, place) => flat[place * channels + c]!);
    if (pooling === 'max') return Math.max(...values);
    const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / places;
    return pooling === 'avg' ? mean(values) : Math.cbrt(mean(values.map((value) => Math.max(value, 1e-6) ** 3)));
  });
}

/**
 * What a program gives for one image, computed by plain loops in float64: the reference of every engine. `largest` is
 * the largest absolute value met on the way: rounding is relative to that, not to an output that cancels to nearly
 * nothing.
 */
export function naiveFeatures(
  program: LayerProgram,
  pixels: Uint8Array,
  output: Output,
): { readonly features: readonly number[]; readonly largest: number } {
  const { backbone, contract, weights } = program;
  const { size, channelOrder } = contract;
  const { mean, scale } = rgbArithmetic(contract);
  const data = Float64Array.from({ length: size * size * 3 }, (_, i) => {
    const c = i % 3;
    const colour = channelOrder === 'RGB' ? c : 2 - c;
    return (pixels[i - c + colour]! - mean[colour]!) * scale[colour]!;
  });
  const largestOf = (values: Float64Array): number => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  let activation: Activation = { side: size, channels: 3, data };
  let largest = largestOf(data);
  for (const layer of backbone.layers) {
    activation = layer.kind === 'conv' ? naiveConv(activation, layer, weights) : naivePool(activation);
    largest = Math.max(largest, largestOf(activation.data));
    if (layer.name === output.cut) break;
  }
  const { data: flat, channels } = activation;
  const pooling = mapPooling(output);
  const features = pooling === 'flatten' ? [...flat] : pooled(flat, channels, pooling);
  return { features, largest };
}

/** Row i of a matrix of features. */
export function featuresOf(features: Matrix, i: number): Float32Array {
  return features.data.subarray(i * features.cols, (i + 1) * features.cols);
}

/** Channels of a cut. */
export function channelsOf(program: LayerProgram, cut: string): number {
  return outputShape(program.backbone, cut, program.contract.size).channels;
}
