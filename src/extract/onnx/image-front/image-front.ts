import type { Contract } from '../../../core/contract.ts';
import { graphWriter, type GraphWriter } from '../../../core/onnx/graph-writer.ts';
import type { AddedPart } from '../pixel-front.ts';
import { mayReachOver, placementNodes, type AxisNodes } from './placement-nodes.ts';
import { interpolatedNodes, nearestNodes } from './plain-nodes.ts';
import { smoothNodes } from './smooth-nodes.ts';
import { vipsNodes } from './vips-nodes.ts';

/** Lays the contract's colour, black by default, around what the images cover; uint8 (batch, size, size, 3). */
function onGround(
  w: GraphWriter,
  square: string,
  [y, x]: readonly [AxisNodes, AxisNodes],
  { pad = [0, 0, 0] }: Contract,
): string {
  const rows = w.op('Unsqueeze', [y.covered, w.ints(1, 2)]);
  const columns = w.op('Unsqueeze', [x.covered, w.ints(1)]);
  return w.op('Where', [w.op('And', [rows, columns]), square, w.constant([3], Uint8Array.from(pad))]);
}

/**
 * Images of any size to the contract's square, as decode.ts makes it of the same pixels: uint8 RGB (batch, height,
 * width, 3) under the name `image` to uint8 RGB (batch, size, size, 3) under `pixels`. Inner names begin with
 * `prefix`. Operators of opset 13 and later, without Resize: runtimes compute that in ways of their own.
 */
export function imageFront(contract: Contract, image: string, pixels: string, prefix: string): AddedPart {
  const w = graphWriter(prefix);
  const axes = placementNodes(w, contract, image);
  const { kernel, antialias, rounding } = contract;
  const bytes = (levels: string): string => w.op('Transpose', [w.cast(levels, 'uint8')], { perm: [0, 2, 3, 1] });
  const smooth = antialias === false ? interpolatedNodes : rounding === 'pillow' ? smoothNodes : vipsNodes;
  const square = kernel === 'nearest' ? nearestNodes(w, image, axes) : bytes(smooth(w, kernel, image, axes));
  w.named(pixels, mayReachOver(contract) ? onGround(w, square, axes, contract) : square);
  return w.parts();
}
