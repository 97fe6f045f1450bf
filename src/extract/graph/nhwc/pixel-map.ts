import { paddedArrangement, plainArrangement, type Arrangement, type MapSize } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** A map of a graph: a tensor (rows, batch, channels) and where its pixels are. */
export interface PixelMap {
  readonly tensor: string;
  readonly arrangement: Arrangement;
  readonly channels: number;
}

/** A map from a tensor (batch, height, width, channels). */
export function mapFromNhwc(g: GraphBuilder, nhwc: string, size: MapSize, channels: number): PixelMap {
  const arrangement = plainArrangement(size);
  const turned = g.transpose(nhwc, [1, 2, 0, 3]);
  return { tensor: g.reshape(turned, [arrangement.rows, -1, channels]), arrangement, channels };
}

/** A map as a tensor (batch, height, width, channels). */
export function mapToNhwc(g: GraphBuilder, map: PixelMap): string {
  const { height, width } = map.arrangement;
  const plain = moved(g, map, plainArrangement(map.arrangement));
  return g.transpose(g.reshape(plain, [height, width, -1, map.channels]), [2, 0, 1, 3]);
}

/**
 * Rows of a tensor by constant indices, `row(i)` for the i-th; `name` names these indices. `after` names a tensor (of
 * three axes) that must be there first.
 */
export function gatherRows(
  g: GraphBuilder,
  tensor: string,
  name: string,
  count: number,
  row: (i: number) => number,
  after?: string,
): string {
  const indices = g.constant(`rows/${name}`, [count], () => Int32Array.from({ length: count }, (_, i) => row(i)));
  return g.op('Gather', [tensor, after === undefined ? indices : behind(g, indices, after)], { axis: 0 });
}

const INT32 = 6;

/** The indices plus a zero that no runtime can know before `tensor` is there. */
function behind(g: GraphBuilder, indices: string, tensor: string): string {
  const one = g.op('Slice', [tensor, g.ints([0, 0, 0]), g.ints([1, 1, 1])]);
  const isAbove = g.op('Greater', [g.reshape(one, [1]), g.float(Infinity)]);
  return g.op('Add', [indices, g.op('Cast', [isAbove], { to: INT32 })]);
}

/** The tensor of a map in another arrangement; rows of no pixel hold whatever comes. */
export function moved(g: GraphBuilder, { tensor, arrangement: from }: PixelMap, to: Arrangement): string {
  if (from.name === to.name) return tensor;
  const rows = new Int32Array(to.rows).fill(from.zeroRow ?? 0);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) rows[to.rowOf(y, x)] = from.rowOf(y, x);
  }
  return gatherRows(g, tensor, `${from.name}>${to.name}`, to.rows, (i) => rows[i]!);
}

/** The map with a row of zeros, which a copy brings where there is none. */
export function withZeroRow(g: GraphBuilder, map: PixelMap): PixelMap & { readonly zeroRow: number } {
  const { zeroRow } = map.arrangement;
  if (zeroRow !== undefined) return { ...map, zeroRow };
  const arrangement = paddedArrangement(map.arrangement);
  const tensor = g.op('Pad', [map.tensor, g.ints([0, 0, 0, 1, 0, 0])]);
  return { tensor, arrangement, channels: map.channels, zeroRow: map.arrangement.rows };
}
