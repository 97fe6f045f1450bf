import type { Layer } from '../../backbones/backbone.ts';
import type { ActivationShape } from '../../backbones/cut-layers.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { im2colConv } from './im2col-conv.ts';
import type { ConvForward } from './layer.ts';
import { maxPool, type PoolForward } from './max-pool.ts';
import { mapFromNhwc, type PixelMap } from './pixel-map.ts';
import { winogradConv } from './winograd-conv.ts';

/** One layer of a tail, forward, with what its backward pass needs. */
export type TailLayer =
  | { readonly kind: 'conv'; readonly name: string; readonly forward: ConvForward }
  | { readonly kind: 'maxPool'; readonly name: string; readonly forward: PoolForward };

/** With fewer input channels the transforms of Winograd cost more than they save: a network's first layer. */
const LEAST_WINOGRAD_CHANNELS = 16;
/** What the transformed tiles of all layers may take, where the backward pass is to find them kept. */
const MOST_KEPT_BYTES = 512 * 2 ** 20;

/** Bytes of the transformed tiles of a layer's input: 36 values for each 16. */
function bytesOfTiles(height: number, width: number, channels: number, batch: number): number {
  return 36 * Math.ceil(height / 4) * Math.ceil(width / 4) * batch * channels * 4;
}

function allTileBytes(layers: readonly Layer[], input: ActivationShape, batch: number): number {
  let { height, width } = input;
  let bytes = 0;
  for (const layer of layers) {
    if (layer.kind === 'conv') bytes += bytesOfTiles(height, width, layer.inputs, batch);
    else [height, width] = [Math.floor(height / 2), Math.floor(width / 2)];
  }
  return bytes;
}

export interface TailInput extends ActivationShape {
  /** (batch, height, width, channels). */
  readonly tensor: string;
  readonly batch: number;
}

/**
 * The layers on their input, in order. `L/kernel` and `L/bias` are tensors of the graph. The first layer takes im2col
 * where its channels are few, all others Winograd.
 */
export function tailLayers(
  g: GraphBuilder,
  layers: readonly Layer[],
  input: TailInput,
  mostKeptBytes = MOST_KEPT_BYTES,
): { readonly layers: readonly TailLayer[]; readonly y: PixelMap } {
  const keepsTiles = allTileBytes(layers, input, input.batch) <= mostKeptBytes;
  const built: TailLayer[] = [];
  let y: PixelMap | undefined;
  for (const [i, layer] of layers.entries()) {
    const { name } = layer;
    if (layer.kind === 'maxPool') {
      const forward = maxPool(g, (y ??= mapFromNhwc(g, input.tensor, input, input.channels)));
      built.push({ kind: 'maxPool', name, forward });
      ({ y } = forward);
      continue;
    }
    const tensors = { kernel: `${name}/kernel`, bias: `${name}/bias`, filters: layer.filters };
    const zeros = layers[i + 1]?.kind === 'conv';
    const forward =
      i === 0 && layer.inputs < LEAST_WINOGRAD_CHANNELS
        ? im2colConv(g, input, tensors, { zeros })
        : winogradConv(g, y ?? mapFromNhwc(g, input.tensor, input, input.channels), tensors, { zeros, keepsTiles });
    built.push({ kind: 'conv', name, forward });
    ({ y } = forward);
  }
  return { layers: built, y: y ?? mapFromNhwc(g, input.tensor, input, input.channels) };
}
