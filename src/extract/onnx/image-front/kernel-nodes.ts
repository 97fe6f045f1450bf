import type { Contract } from '../../../core/contract.ts';
import type { GraphWriter } from '../../../core/graph-writer.ts';

type SmoothKernel = Exclude<Contract['kernel'], 'nearest'>;

/** A polynomial by Horner's scheme, the highest power first. */
function polynomial(w: GraphWriter, x: string, factors: readonly number[]): string {
  const [first, ...others] = factors.map((factor) => w.float(factor)) as [string, ...string[]];
  return others.reduce((sum, factor) => w.op('Add', [w.op('Mul', [sum, x]), factor]), first);
}

/** Cubic convolution (Keys, 1981) with the parameter `a`, at distances x >= 0. */
function cubic(w: GraphWriter, x: string, a: number): string {
  const inner = polynomial(w, x, [a + 2, -(a + 3), 0, 1]);
  const outer = polynomial(w, x, [a, -5 * a, 8 * a, -4 * a]);
  const isIn = (end: number): string => w.op('Less', [x, w.float(end)]);
  return w.op('Where', [isIn(1), inner, w.op('Where', [isIn(2), outer, w.float(0)])]);
}

function sinc(w: GraphWriter, x: string): string {
  // Not divided by zero: at 1e-4 it is 1 in float32.
  const angle = w.op('Mul', [w.op('Max', [x, w.float(1e-4)]), w.float(Math.PI)]);
  return w.op('Div', [w.op('Sin', [angle]), angle]);
}

/** The weight of a kernel at distances x >= 0 in its own width; `a`: of bicubic. float32, of the shape of x. */
export function kernelNodes(w: GraphWriter, kernel: SmoothKernel, x: string, a = -0.5): string {
  switch (kernel) {
    case 'bilinear':
      return w.op('Relu', [w.op('Sub', [w.float(1), x])]);
    case 'bicubic':
      return cubic(w, x, a);
    case 'lanczos': {
      const product = w.op('Mul', [sinc(w, x), sinc(w, w.op('Mul', [x, w.float(1 / 3)]))]);
      return w.op('Where', [w.op('Less', [x, w.float(3)]), product, w.float(0)]);
    }
  }
}

/**
 * Distances of source pixels (columns) to the points that output pixels `at` show (rows), |2k + 1 - (2i + 1) * side /
 * scaled| / 2 in pixels of the wider of the two grids where `isWidened`, else of the source. The differences are made
 * of integers: in float32 alone the centre of a pixel of a large picture would be off. `odd`: 2k + 1 of each source
 * pixel.
 */
export function distanceNodes(
  w: GraphWriter,
  { side, scaled, at }: { readonly side: string; readonly scaled: string; readonly at: string },
  odd: string,
  isWidened: boolean,
): string {
  const ofSource = w.op('Mul', [odd, scaled]);
  const oddOut = w.op('Add', [w.op('Mul', [at, w.int(2)]), w.int(1)]);
  const ofOutput = w.op('Unsqueeze', [w.op('Mul', [oddOut, side]), w.ints(1)]);
  const apart = w.op('Abs', [w.cast(w.op('Sub', [ofSource, ofOutput]), 'float32')]);
  const unit = w.op('Mul', [isWidened ? w.op('Max', [scaled, side]) : scaled, w.int(2)]);
  return w.op('Div', [apart, w.cast(unit, 'float32')]);
}
