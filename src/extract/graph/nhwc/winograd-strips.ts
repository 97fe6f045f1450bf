import { TILE_IN, TILE_OUT } from '../winograd-transforms.ts';
import { biasAndRelu } from './activation.ts';
import { tiledArrangement, type Arrangement, type MapSize } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { ConvTensors } from './layer.ts';
import { maxPool } from './max-pool.ts';
import { withZeroRow, type PixelMap } from './pixel-map.ts';
import { winogradKernel, winogradOutputs, winogradTiles } from './winograd-conv.ts';

/** How a convolution is cut into strips. */
export interface StripChoices {
  /** Whether the 2x2 pool that follows is taken of each strip: the whole map then never exists. */
  readonly pools: boolean;
  /** Bytes that the tiles of one strip may take, at least one row of tiles. */
  readonly tileBytes: number;
  /** Images of the largest batch. */
  readonly batch: number;
}

/** Tiles down that a strip has: as many as its bytes allow, strips being equal as nearly as can be. */
function tilesDown({ height, width }: MapSize, channels: number, { tileBytes, batch }: StripChoices): number {
  const down = Math.ceil(height / TILE_OUT);
  const bytes = 4 * TILE_IN ** 2 * Math.ceil(width / TILE_OUT) * batch * channels;
  const strips = Math.ceil(down / Math.max(1, Math.floor(tileBytes / bytes)));
  return Math.ceil(down / strips);
}

/** Maps of one width under each other, all but the last of one height, as one with a row of zeros behind it. */
function stacked(g: GraphBuilder, strips: readonly PixelMap[], name: string): PixelMap {
  const [first] = strips as [PixelMap, ...PixelMap[]];
  if (strips.length === 1) return first;
  const { height: each, width } = first.arrangement;
  const starts: number[] = [];
  let rows = 0;
  for (const { arrangement } of strips) {
    starts.push(rows);
    rows += arrangement.rows;
  }
  // Behind a ReLU nothing is below zero.
  const zeros = g.op('Min', [g.op('Slice', [first.tensor, g.ints([0]), g.ints([1])]), g.float(0)]);
  const tensor = g.op('Concat', [...strips.map((strip) => strip.tensor), zeros], { axis: 0 });
  const arrangement: Arrangement = {
    name,
    height: strips.reduce((sum, strip) => sum + strip.arrangement.height, 0),
    width,
    rows: rows + 1,
    zeroRow: rows,
    rowOf(y, x) {
      const s = Math.floor(y / each);
      return starts[s]! + strips[s]!.arrangement.rowOf(y - s * each, x);
    },
  };
  return { tensor, arrangement, channels: first.channels };
}

/**
 * The forward pass of winogradConv in horizontal strips, one after the other: the transformed tiles and products, 4.5
 * times the map, are those of one strip at a time.
 */
export function winogradInStrips(
  g: GraphBuilder,
  x: PixelMap,
  { kernel, bias, filters }: ConvTensors,
  choices: StripChoices & { readonly zeros: boolean },
): PixelMap {
  const { pools, zeros } = choices;
  const { height, width } = x.arrangement;
  const each = TILE_OUT * tilesDown(x.arrangement, Math.max(x.channels, filters), choices);
  const padded = withZeroRow(g, x);
  const transformed = winogradKernel(g, kernel, x.channels, filters);
  const strips: PixelMap[] = [];
  for (let top = 0; top < height; top += each) {
    if (pools && height - top < 2) break; // an odd last row is in no window
    const size = { height: Math.min(each, height - top), width };
    const arrangement = tiledArrangement(size, zeros && !pools && each >= height);
    const products = g.matMul(winogradTiles(g, padded, { strip: { top, height: size.height } }), transformed);
    const y = biasAndRelu(g, winogradOutputs(g, products, arrangement, filters), bias, arrangement, filters);
    const map = { tensor: y, arrangement, channels: filters };
    strips.push(pools ? maxPool(g, map).y : map);
  }
  return stacked(g, strips, `strips${each}/${height}x${width}${pools ? '/pooled' : ''}`);
}
