import { plainArrangement, pooledArrangement, tiledArrangement, type Arrangement } from './arrangement.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { gatherRows, moved, type PixelMap } from './pixel-map.ts';

/** A 2x2 pool, stride 2, forward and back; an odd last row or column is dropped. */
export interface PoolForward {
  readonly y: PixelMap;
  /** The derivative by the input, in its arrangement, of `dy` in that of y. */
  back(dy: string): string;
}

const CORNERS = [0, 1, 2, 3] as const;

/**
 * The maximum over 2x2: of four tensors, one for each corner of the windows. The first of equal corners has the
 * gradient, as in TensorFlow.
 */
export function maxPool(g: GraphBuilder, x: PixelMap): PoolForward {
  const from = x.arrangement;
  const { height, width } = from;
  const tiled = tiledArrangement(from, false);
  // The corners of such a map are the quarters of its rows.
  const isQuartered = from.name === tiled.name && height % 2 === 0 && width % 2 === 0;
  const to: Arrangement = isQuartered
    ? pooledArrangement(tiled)
    : plainArrangement({ height: Math.floor(height / 2), width: Math.floor(width / 2) });
  const rowOfCorner = (corner: number): ((i: number) => number) =>
    isQuartered
      ? (i) => corner * to.rows + i
      : (i) => from.rowOf(2 * Math.floor(i / to.width) + (corner >> 1), 2 * (i % to.width) + (corner & 1));
  const corners = CORNERS.map((corner) =>
    gatherRows(g, x.tensor, `corner${corner}/${from.name}`, to.rows, rowOfCorner(corner)),
  );
  const y = g.op('Max', corners);
  return {
    y: { tensor: y, arrangement: to, channels: x.channels },
    back(dy) {
      let left = dy;
      const parts = corners.map((corner, i) => {
        const isLargest = g.op('Equal', [corner, y]);
        const part = g.op('Where', [isLargest, left, g.float(0)]);
        if (i < 3) left = g.op('Where', [isLargest, g.float(0), left]);
        return part;
      });
      const gradient = g.op('Concat', parts, { axis: 0 });
      return isQuartered ? gradient : spread(g, gradient, x, to);
    },
  };
}

/** Gradients by corner, then window, to the arrangement of the pool's input; zeros where no window is. */
function spread(g: GraphBuilder, gradient: string, x: PixelMap, to: Arrangement): string {
  const { height, width } = x.arrangement;
  const rows = 4 * to.rows;
  const byCorner: Arrangement = {
    name: `corners${height}x${width}`,
    height,
    width,
    rows: rows + 1,
    rowOf: (py, px) => {
      const [wy, wx] = [py >> 1, px >> 1];
      if (wy >= to.height || wx >= to.width) return rows;
      return ((py & 1) * 2 + (px & 1)) * to.rows + wy * to.width + wx;
    },
    zeroRow: rows,
  };
  const tensor = g.op('Pad', [gradient, g.ints([0, 0, 0, 1, 0, 0])]);
  return moved(g, { tensor, arrangement: byCorner, channels: x.channels }, x.arrangement);
}
