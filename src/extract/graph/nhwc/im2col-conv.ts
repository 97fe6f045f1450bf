import { biasAndRelu, gate } from './activation.ts';
import { tiledArrangement, type MapSize } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { ConvForward, ConvTensors } from './layer.ts';
import { gatherRows } from './pixel-map.ts';

/** A tensor (batch, height, width, channels) of a fixed batch. */
export interface NhwcImages extends MapSize {
  readonly tensor: string;
  readonly batch: number;
  readonly channels: number;
}

/**
 * A 3x3 convolution and ReLU as one matrix product: each pixel's nine neighbours side by side. For a network's first
 * layer, whose three channels are too few for Winograd; so there is no derivative by the input. Its output is in tiles.
 */
export function im2colConv(
  g: GraphBuilder,
  x: NhwcImages,
  { kernel, bias, filters }: ConvTensors,
  { zeros }: { readonly zeros: boolean },
): ConvForward {
  const { batch, height, width, channels } = x;
  const arrangement = tiledArrangement(x, zeros);
  const pixels = batch * height * width;
  const taps = 9 * channels;
  const flat = g.op('Pad', [g.reshape(x.tensor, [pixels, channels]), g.ints([0, 0, 1, 0])]);
  const rowOfTap = (i: number): number => {
    const tap = i % 9;
    const image = ((i - tap) / 9) % batch;
    const pixel = arrangement.pixelOf(Math.floor(i / (9 * batch)));
    if (pixel === undefined) return pixels;
    const py = pixel[0] + Math.floor(tap / 3) - 1;
    const px = pixel[1] + (tap % 3) - 1;
    return py < 0 || px < 0 || py >= height || px >= width ? pixels : (image * height + py) * width + px;
  };
  const name = `im2col/${arrangement.name}/${batch}`;
  const gathered = gatherRows(g, flat, name, arrangement.rows * batch * 9, rowOfTap);
  const columns = g.reshape(gathered, [arrangement.rows * batch, taps]);
  const products = g.matMul(columns, g.reshape(kernel, [taps, filters]));
  const z = g.reshape(products, [arrangement.rows, batch, filters]);
  const y = biasAndRelu(g, z, bias, arrangement, filters);
  return {
    y: { tensor: y, arrangement, channels: filters },
    back(dy) {
      const dz = g.reshape(gate(g, y, dy), [arrangement.rows * batch, filters]);
      const dTaps = g.op('Gemm', [columns, dz], { transA: 1 });
      return { kernel: g.reshape(dTaps, [3, 3, channels, filters]), bias: g.sum(dz, [0]) };
    },
  };
}
