import { OF_KERNELS, OF_PRODUCTS, OF_TILES, TILE_IN, TILE_OUT, transposed } from '../winograd-transforms.ts';
import { biasAndRelu, gate } from './activation.ts';
import { PLACES, tiledArrangement, type Arrangement, type MapSize, type TiledArrangement } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { ConvForward, ConvTensors } from './layer.ts';
import { gatherRows, moved, withZeroRow, type PixelMap } from './pixel-map.ts';

const POINTS = TILE_IN * TILE_IN;

/** Products to the places of a tile, (places, 36); the block of zeros comes from rows of zeros. */
function ofPlaces(places: number): Float32Array {
  const matrix = new Float32Array(places * POINTS);
  PLACES.forEach((place, i) => matrix.set(OF_PRODUCTS.subarray(place * POINTS, (place + 1) * POINTS), i * POINTS));
  return matrix;
}

/**
 * The row of each input of each tile, the first tiles beginning at the row `top` of pixels: 36 x tiles, the inputs
 * outside of the map being the row of zeros.
 */
function rowOfInput(
  from: Arrangement,
  zeroRow: number,
  { tiles, across }: TiledArrangement,
  top: number,
): (i: number) => number {
  return (i) => {
    const tile = i % tiles;
    const input = (i - tile) / tiles;
    const y = top + Math.floor(tile / across) * TILE_OUT + Math.floor(input / TILE_IN) - 1;
    const x = (tile % across) * TILE_OUT + (input % TILE_IN) - 1;
    return y < 0 || x < 0 || y >= from.height || x >= from.width ? zeroRow : from.rowOf(y, x);
  };
}

/** Rows of pixels of a map, from a multiple of four on. */
export interface Strip {
  readonly top: number;
  readonly height: number;
}

/**
 * The tiles of a map, or of a strip of it, transformed: (36, tiles x batch, channels). With `after`, a tensor of the
 * backward pass, they are made again behind it: indices that depend on it keep a runtime from taking tiles that it has,
 * or from making them early.
 */
export function winogradTiles(
  g: GraphBuilder,
  map: PixelMap,
  { after, strip }: { readonly after?: string; readonly strip?: Strip } = {},
): string {
  const { tensor, arrangement, channels, zeroRow } = withZeroRow(g, map);
  const { top, height } = strip ?? { top: 0, height: arrangement.height };
  const tiled = tiledArrangement({ height, width: arrangement.width }, false);
  const row = rowOfInput(arrangement, zeroRow, tiled, top);
  const name = `tiles/${arrangement.name}/${top}-${top + height}`;
  const gathered = gatherRows(g, tensor, name, POINTS * tiled.tiles, row, after);
  const transform = g.constant('winograd/tiles', [POINTS, POINTS], () => OF_TILES);
  return g.reshape(g.matMul(transform, g.reshape(gathered, [POINTS, -1])), [POINTS, -1, channels]);
}

/** A kernel (3, 3, inputs, filters), transformed: (36, inputs, filters). */
export function winogradKernel(g: GraphBuilder, kernel: string, inputs: number, filters: number): string {
  const transform = g.constant('winograd/kernels', [POINTS, 9], () => OF_KERNELS);
  const taps = g.reshape(kernel, [9, inputs * filters]);
  return g.reshape(g.matMul(transform, taps), [POINTS, inputs, filters]);
}

/**
 * Products (36, tiles x batch, channels) to rows (rows of `to`, batch, channels); those outside of the map hold
 * anything.
 */
export function winogradOutputs(g: GraphBuilder, products: string, to: TiledArrangement, channels: number): string {
  const transform = g.constant(`winograd/outputs${to.places}`, [to.places, POINTS], () => ofPlaces(to.places));
  return g.reshape(g.matMul(transform, g.reshape(products, [POINTS, -1])), [to.rows, -1, channels]);
}

/** The kernel of the derivative by the input: taps reversed, inputs and filters exchanged; (3, 3, filters, inputs). */
function turned(g: GraphBuilder, kernel: string, inputs: number, filters: number): string {
  const taps = g.constant('taps/reversed', [9], () => Int32Array.of(8, 7, 6, 5, 4, 3, 2, 1, 0));
  return g.transpose(g.op('Gather', [g.reshape(kernel, [9, inputs, filters]), taps], { axis: 0 }), [0, 2, 1]);
}

/** How a convolution by Winograd's minimal filtering is built. */
export interface WinogradChoices {
  /** Whether its output gets rows of zeros, which the next convolution reads beyond the border. */
  readonly zeros: boolean;
  /** Whether the backward pass keeps the transformed tiles, 2.25 times the input, or makes them again. */
  readonly keepsTiles: boolean;
}

/**
 * A 3x3 convolution and ReLU by Winograd's minimal filtering in all passes (winograd-transforms.ts). With V the tiles,
 * U the kernel and M = V U their 36 products, dU = V' dM; the derivative by the input is the convolution of that by the
 * output with the turned kernel.
 */
export function winogradConv(
  g: GraphBuilder,
  x: PixelMap,
  { kernel, bias, filters }: ConvTensors,
  { zeros, keepsTiles }: WinogradChoices,
): ConvForward {
  const inputs = x.channels;
  const size: MapSize = x.arrangement;
  const arrangement = tiledArrangement(size, zeros);
  // Kernels before tiles: of what an operator reads, ONNX Runtime makes the last written first (graph-builder.ts), and
  // the kernels of later layers, 36 MB each in block 5, would lie there while the first layers run.
  const transformed = winogradKernel(g, kernel, inputs, filters);
  const tiles = winogradTiles(g, x);
  const products = g.matMul(tiles, transformed);
  const y = biasAndRelu(g, winogradOutputs(g, products, arrangement, filters), bias, arrangement, filters);
  const { places } = arrangement;
  return {
    y: { tensor: y, arrangement, channels: filters },
    back(dy, wantsInput) {
      const dz = gate(g, y, dy);
      const ofGradients = g.constant(`winograd/outputs${places}/transposed`, [POINTS, places], () =>
        transposed(ofPlaces(places), places),
      );
      const dProducts = g.reshape(g.matMul(ofGradients, g.reshape(dz, [places, -1])), [POINTS, -1, filters]);
      const kept = keepsTiles ? tiles : winogradTiles(g, x, { after: dz });
      const dTransformed = g.matMul(g.transpose(kept, [0, 2, 1]), dProducts);
      const ofKernels = g.constant('winograd/kernels/transposed', [9, POINTS], () => transposed(OF_KERNELS, POINTS));
      const dTaps = g.matMul(ofKernels, g.reshape(dTransformed, [POINTS, inputs * filters]));
      const gradients = { kernel: g.reshape(dTaps, [3, 3, inputs, filters]), bias: g.sum(dz, [0, 1]) };
      if (!wantsInput) return gradients;
      const back = winogradKernel(g, turned(g, kernel, inputs, filters), filters, inputs);
      const dTiles = winogradTiles(g, { tensor: dz, arrangement, channels: filters });
      const dInputs = g.matMul(dTiles, back);
      // In the input's own arrangement, where that is one of tiles.
      const to = tiledArrangement(size, x.arrangement.name === tiledArrangement(size, true).name);
      const tensor = winogradOutputs(g, dInputs, to, inputs);
      return { ...gradients, input: moved(g, { tensor, arrangement: to, channels: inputs }, x.arrangement) };
    },
  };
}
