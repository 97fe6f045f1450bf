import type { Contract } from '../../../core/contract.ts';
import type { GraphWriter } from '../../../core/onnx/graph-writer.ts';

/** One axis of an image on its way into the square: int64 scalars, and for each pixel of the square its place. */
export interface AxisNodes {
  /** Pixels of the image. */
  readonly side: string;
  /** Pixels that it is scaled to. */
  readonly scaled: string;
  /** For each pixel of the square the pixel of the scaled image, shape (size): the nearest one where there is none. */
  readonly at: string;
  /** Whether there is one, shape (size). */
  readonly covered: string;
}

/** x rounded to the nearest integer as geometry.ts does, halves to even, of twice its value: an int64 scalar. */
function halved(w: GraphWriter, twice: string, toEven: boolean): string {
  // int64 Div cuts off towards zero: that is down, for what is not negative.
  const down = w.op('Div', [twice, w.int(2)]);
  if (!toEven) return down;
  const isHalf = w.op('Mod', [twice, w.int(2)]);
  const isOdd = w.op('Mod', [down, w.int(2)]);
  return w.op('Add', [down, w.op('Mul', [isHalf, isOdd])]);
}

function scaledSides(w: GraphWriter, { size, geometry, resize = size }: Contract, sides: readonly string[]): string[] {
  if (geometry === 'squash') return sides.map(() => w.int(resize));
  if (geometry === 'cover-crop') {
    const short = w.op('Min', sides);
    return sides.map((side) => w.op('Div', [w.op('Mul', [side, w.int(resize)]), short]));
  }
  const long = w.op('Max', sides);
  // In float64, as it is computed where pictures are decoded: halves are told apart from what is next to them.
  const ratio = w.op('Div', [w.cast(long, 'float64'), w.constant([], Float64Array.of(resize))]);
  return sides.map((side) => {
    const rounded = w.cast(w.op('Round', [w.op('Div', [w.cast(side, 'float64'), ratio])]), 'int64');
    return w.op('Max', [rounded, w.int(1)]);
  });
}

/** Where the square begins in the scaled image; below 0 where it reaches over it. */
function startOf(w: GraphWriter, scaled: string, { size, crop }: Contract): string {
  const over = w.op('Sub', [scaled, w.int(size)]);
  const inside = halved(w, w.op('Max', [over, w.int(0)]), crop !== 'floor');
  const outside = halved(w, w.op('Max', [w.op('Neg', [over]), w.int(0)]), false);
  return w.op('Sub', [inside, outside]);
}

/** The axes of images (batch, height, width, 3), placed as the contract says (image/geometry.ts), y and x. */
export function placementNodes(w: GraphWriter, contract: Contract, image: string): readonly [AxisNodes, AxisNodes] {
  const shape = w.op('Shape', [image]);
  const sides = [1, 2].map((axis) => w.op('Gather', [shape, w.int(axis)], { axis: 0 }));
  const scaled = scaledSides(w, contract, sides);
  const pixels = w.ints(...Array.from({ length: contract.size }, (_, i) => i));
  const [y, x] = sides.map((side, i): AxisNodes => {
    const at = w.op('Add', [pixels, startOf(w, scaled[i]!, contract)]);
    const last = w.op('Sub', [scaled[i]!, w.int(1)]);
    const nearest = w.op('Max', [w.op('Min', [at, last]), w.int(0)]);
    return { side, scaled: scaled[i]!, at: nearest, covered: w.op('Equal', [at, nearest]) };
  });
  return [y!, x!];
}

/** Whether the square may reach over an image under this contract. */
export const mayReachOver = ({ geometry, size, resize = size }: Contract): boolean =>
  geometry === 'contain-pad' || resize < size;
