import type { GraphWriter } from '../../../core/onnx/graph-writer.ts';
import type { SmoothKernel } from '../../image/resample.ts';

/** How far a kernel reaches, in its own width. */
export const REACH: Readonly<Record<SmoothKernel, number>> = { bilinear: 1, bicubic: 2, lanczos: 3 };

/** A polynomial by Horner's scheme, the highest power first. */
function polynomial(w: GraphWriter, x: string, factors: readonly number[]): string {
  const [first, ...others] = factors.map((factor) => w.double(factor)) as [string, ...string[]];
  return others.reduce((sum, factor) => w.op('Add', [w.op('Mul', [sum, x]), factor]), first);
}

/** Cubic convolution (Keys, 1981) with the parameter `a`, at distances x >= 0. */
function cubic(w: GraphWriter, x: string, a: number): string {
  const inner = polynomial(w, x, [a + 2, -(a + 3), 0, 1]);
  const outer = polynomial(w, x, [a, -5 * a, 8 * a, -4 * a]);
  const isIn = (end: number): string => w.op('Less', [x, w.double(end)]);
  return w.op('Where', [isIn(1), inner, w.op('Where', [isIn(2), outer, w.double(0)])]);
}

function sinc(w: GraphWriter, x: string): string {
  // Not divided by zero: next to it, it is 1 to the last digit. Sin is not there in float64 everywhere.
  const angle = w.op('Mul', [w.op('Max', [x, w.double(1e-5)]), w.double(Math.PI)]);
  return w.op('Div', [w.op('Sin', [angle]), angle]);
}

/** The weight of a kernel at distances x >= 0 in its own width; `a`: of bicubic. float64, of the shape of x. */
export function kernelNodes(w: GraphWriter, kernel: SmoothKernel, x: string, a = -0.5): string {
  switch (kernel) {
    case 'bilinear':
      return w.op('Max', [w.op('Sub', [w.double(1), x]), w.double(0)]);
    case 'bicubic':
      return cubic(w, x, a);
    case 'lanczos': {
      const product = w.op('Mul', [sinc(w, x), sinc(w, w.op('Div', [x, w.double(3)]))]);
      return w.op('Where', [w.op('Less', [x, w.double(3)]), product, w.double(0)]);
    }
  }
}

/** The absolute quotient of int64 numbers, in float64. */
export const distance = (w: GraphWriter, above: string, below: string): string =>
  w.op('Div', [w.op('Abs', [w.cast(above, 'float64')]), w.cast(below, 'float64')]);

/**
 * Distances of source pixels (columns) to the points that output pixels `at` show (rows), |2k + 1 - (2i + 1) * side /
 * scaled| / 2 in pixels of the wider of the two grids where `isWidened`, else of the source. Differences are made of
 * integers: a runtime that computes in float32 has no large numbers to take off each other. `odd`: 2k + 1 of each
 * source pixel.
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
  const unit = w.op('Mul', [isWidened ? w.op('Max', [scaled, side]) : scaled, w.int(2)]);
  return distance(w, w.op('Sub', [ofSource, ofOutput]), unit);
}

/** Each row divided by its sum. */
export const shares = (w: GraphWriter, raw: string): string =>
  w.op('Div', [raw, w.op('ReduceSum', [raw, w.ints(1)], { keepdims: 1 })]);
