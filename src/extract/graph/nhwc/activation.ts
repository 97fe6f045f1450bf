import type { TiledArrangement } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** What a bias is outside of the map: the ReLU makes zeros of it. */
const FAR_BELOW = -1e30;

/** max(0, z + bias) of rows in tiles, exactly zero in rows of no pixel. */
export function biasAndRelu(
  g: GraphBuilder,
  z: string,
  bias: string,
  arrangement: TiledArrangement,
  channels: number,
): string {
  const { rows, tiles, places, zeroRow, name } = arrangement;
  const relu = (linear: string): string => g.op('Relu', [linear]);
  if (zeroRow === undefined) return relu(g.op('Add', [z, bias]));
  // In tiles that the map fills, whole blocks of rows are of one kind.
  const blocks = places === 17 ? places : rows;
  const isInside = g.constant(`inside/${name}`, [blocks, 1, 1], () =>
    Float32Array.from({ length: blocks }, (_, i) =>
      arrangement.pixelOf(places === 17 ? i * tiles : i) === undefined ? 0 : 1,
    ),
  );
  const inside = g.op('Greater', [isInside, g.float(0)]);
  const biases = g.op('Where', [inside, bias, g.float(FAR_BELOW)]);
  const y = relu(g.op('Add', [g.reshape(z, [blocks, -1, channels]), biases]));
  return blocks === rows ? y : g.reshape(y, [rows, -1, channels]);
}

/** The derivative before a ReLU: that behind it where the output is above zero. */
export function gate(g: GraphBuilder, y: string, dy: string): string {
  return g.op('Where', [g.op('Greater', [y, g.float(0)]), dy, g.float(0)]);
}
