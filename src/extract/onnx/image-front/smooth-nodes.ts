import type { Contract } from '../../../core/contract.ts';
import type { GraphWriter } from '../../../core/graph-writer.ts';
import { distanceNodes, kernelNodes } from './kernel-nodes.ts';
import type { AxisNodes } from './placement-nodes.ts';

type SmoothKernel = Exclude<Contract['kernel'], 'nearest'>;

/** To the nearest level, halves up as Pillow does, within 0 to 255. */
export const toLevels = (w: GraphWriter, x: string): string =>
  w.op('Clip', [w.op('Floor', [w.op('Add', [x, w.float(0.5)])]), w.float(0), w.float(255)]);

/** Images as they lie, uint8 (batch, height, width, 3), to float32 (batch, 3, height, width). */
export const planes = (w: GraphWriter, image: string): string =>
  w.cast(w.op('Transpose', [image], { perm: [0, 3, 1, 2] }), 'float32');

/** Weights of an axis, antialiased (image/resample.ts), shape (size, side), each row summing to 1. */
function weights(w: GraphWriter, kernel: SmoothKernel, axis: AxisNodes): string {
  const odd = w.op('Range', [w.int(1), w.op('Mul', [axis.side, w.int(2)]), w.int(2)]);
  const raw = kernelNodes(w, kernel, distanceNodes(w, axis, odd, true));
  return w.op('Div', [raw, w.op('ReduceSum', [raw, w.ints(1)], { keepdims: 1 })]);
}

/**
 * Antialiased resize and crop as Pillow computes it, across, rounded to levels, then down: uint8 (batch, height, width,
 * 3) to levels in float32, shape (batch, 3, size, size).
 */
export function smoothNodes(
  w: GraphWriter,
  kernel: SmoothKernel,
  image: string,
  [y, x]: readonly [AxisNodes, AxisNodes],
): string {
  const across = w.op('Transpose', [weights(w, kernel, x)], { perm: [1, 0] });
  const lines = toLevels(w, w.op('MatMul', [planes(w, image), across]));
  return toLevels(w, w.op('MatMul', [weights(w, kernel, y), lines]));
}
