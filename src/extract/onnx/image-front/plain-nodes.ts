import type { GraphWriter } from '../../../core/onnx/graph-writer.ts';
import type { SmoothKernel } from '../../image/resample.ts';
import { distanceNodes, kernelNodes } from './kernel-nodes.ts';
import type { AxisNodes } from './placement-nodes.ts';
import { planes, toLevels } from './smooth-nodes.ts';

/** Source pixel of each pixel of the square: Pillow's NEAREST adds up steps in float64 (image/geometry.ts). */
function nearestPixels(w: GraphWriter, { side, scaled, at }: AxisNodes): string {
  const step = w.op('Div', [w.cast(side, 'float64'), w.cast(scaled, 'float64')]);
  const others = w.op('Unsqueeze', [w.op('Sub', [scaled, w.int(1)]), w.ints(0)]);
  const half = w.op('Unsqueeze', [w.op('Mul', [step, w.constant([], Float64Array.of(0.5))]), w.ints(0)]);
  const steps = w.op('Concat', [half, w.op('Expand', [step, others])], { axis: 0 });
  const points = w.cast(w.op('Floor', [w.op('CumSum', [steps, w.int(0)])]), 'int64');
  return w.op('Gather', [points, at], { axis: 0 });
}

/** Nearest neighbours: uint8 (batch, height, width, 3) to uint8 (batch, size, size, 3). */
export function nearestNodes(w: GraphWriter, image: string, [y, x]: readonly [AxisNodes, AxisNodes]): string {
  const rows = w.op('Gather', [image, nearestPixels(w, y)], { axis: 1 });
  return w.op('Gather', [rows, nearestPixels(w, x)], { axis: 2 });
}

/** Pixels that are repeated at each edge: as far as the wider of the kernels reaches. */
const MARGIN = 2;

/** Pixels of an axis with the first and the last repeated, and 2k + 1 of each. */
function margined(w: GraphWriter, { side }: AxisNodes): { readonly pixels: string; readonly odd: string } {
  const all = w.op('Range', [w.int(-MARGIN), w.op('Add', [side, w.int(MARGIN)]), w.int(1)]);
  const last = w.op('Sub', [side, w.int(1)]);
  return {
    pixels: w.op('Max', [w.op('Min', [all, last]), w.int(0)]),
    odd: w.op('Add', [w.op('Mul', [all, w.int(2)]), w.int(1)]),
  };
}

/**
 * Without antialiasing (image/interpolate.ts), in float64, rounded once, halves to even: levels in float32, shape
 * (batch, 3, size, size).
 */
export function interpolatedNodes(
  w: GraphWriter,
  kernel: SmoothKernel,
  image: string,
  [y, x]: readonly [AxisNodes, AxisNodes],
): string {
  const [rows, columns] = [margined(w, y), margined(w, x)];
  const wider = w.op('Gather', [w.op('Gather', [image, rows.pixels], { axis: 1 }), columns.pixels], { axis: 2 });
  const weights = (axis: AxisNodes, odd: string): string =>
    kernelNodes(w, kernel, distanceNodes(w, axis, odd, false), -0.75);
  const across = w.op('Transpose', [weights(x, columns.odd)], { perm: [1, 0] });
  const lines = w.op('MatMul', [w.cast(planes(w, wider), 'float64'), across]);
  const square = w.op('MatMul', [weights(y, rows.odd), lines]);
  return toLevels(w, w.cast(w.op('Round', [square]), 'float32'));
}
