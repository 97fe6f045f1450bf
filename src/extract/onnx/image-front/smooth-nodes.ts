import type { GraphWriter } from '../../../core/onnx/graph-writer.ts';
import type { SmoothKernel } from '../../image/resample.ts';
import { distanceNodes, kernelNodes, shares } from './kernel-nodes.ts';
import type { AxisNodes } from './placement-nodes.ts';

/** Within 0 to 255. */
export const toLevels = (w: GraphWriter, x: string): string => w.op('Clip', [x, w.float(0), w.float(255)]);

/** Images as they lie, uint8 (batch, height, width, 3), to float32 (batch, 3, height, width). */
export const planes = (w: GraphWriter, image: string): string =>
  w.cast(w.op('Transpose', [image], { perm: [0, 3, 1, 2] }), 'float32');

/** A weight is an integer over 2^22 (resample.ts), and here two integers of 11 bits. */
const HALF = 2 ** 11;

/** What a product with weights in two halves gives, to levels: rounded over 2^22, halves up. */
function combined(w: GraphWriter, high: string, low: string): string {
  // In float32 all of these are integers below 2^24, or such over 2^11: nothing is lost.
  const carried = w.op('Floor', [w.op('Mul', [low, w.float(1 / HALF)])]);
  const sum = w.op('Add', [w.op('Add', [high, carried]), w.float(HALF / 2)]);
  return toLevels(w, w.op('Floor', [w.op('Mul', [sum, w.float(1 / HALF)])]));
}

/** The halves of the weights of an axis, antialiased (image/resample.ts), each of shape (size, side), float32. */
function weights(
  w: GraphWriter,
  kernel: SmoothKernel,
  axis: AxisNodes,
): { readonly high: string; readonly low: string } {
  const odd = w.op('Range', [w.int(1), w.op('Mul', [axis.side, w.int(2)]), w.int(2)]);
  const parts = shares(w, kernelNodes(w, kernel, distanceNodes(w, axis, odd, true)));
  const scaled = w.op('Mul', [parts, w.double(HALF * HALF)]);
  // Halves go away from zero.
  const size = w.op('Floor', [w.op('Add', [w.op('Abs', [scaled]), w.double(0.5)])]);
  const whole = w.op('Mul', [w.op('Sign', [scaled]), size]);
  const high = w.op('Round', [w.op('Mul', [whole, w.double(1 / HALF)])]);
  const low = w.op('Sub', [whole, w.op('Mul', [high, w.double(HALF)])]);
  return { high: w.cast(high, 'float32'), low: w.cast(low, 'float32') };
}

/**
 * Antialiased resize and crop as Pillow computes it, across, rounded to levels, then down, to the byte: uint8 (batch,
 * height, width, 3) to levels in float32, shape (batch, 3, size, size).
 */
export function smoothNodes(
  w: GraphWriter,
  kernel: SmoothKernel,
  image: string,
  [y, x]: readonly [AxisNodes, AxisNodes],
): string {
  const pixels = planes(w, image);
  const ofX = weights(w, kernel, x);
  const across = (half: string): string => w.op('MatMul', [pixels, w.op('Transpose', [half], { perm: [1, 0] })]);
  const lines = combined(w, across(ofX.high), across(ofX.low));
  const ofY = weights(w, kernel, y);
  const down = (half: string): string => w.op('MatMul', [half, lines]);
  return combined(w, down(ofY.high), down(ofY.low));
}
