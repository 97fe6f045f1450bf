import { PermafrostError } from '../../core/errors.ts';
import type { Layer } from '../backbones/backbone.ts';
import { layersUpTo } from '../backbones/cut-layers.ts';
import type { Output, LayerProgram } from '../program.ts';

/** The graph's name for an output, such as `block5_pool/flatten`; its type is float32, its shape (batch, width). */
export function outputName({ cut, pooling }: Output): string {
  return `${cut}/${pooling}`;
}

/**
 * The layers from the input to the deepest cut. Throws OPTION_INVALID for an unknown cut, no or repeated outputs, or a
 * backbone that does not begin with a convolution.
 */
export function neededLayers({ backbone, outputs }: LayerProgram): readonly Layer[] {
  if (backbone.layers[0]?.kind !== 'conv') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${backbone.name} must begin with a convolution, whose kernel takes up the channel order.`,
    );
  }
  const names = outputs.map(outputName);
  if (names.length === 0 || new Set(names).size < names.length) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `A program needs at least one output and each only once, got: ${names.join(', ') || 'none'}.`,
    );
  }
  return backbone.layers.slice(0, Math.max(...outputs.map(({ cut }) => layersUpTo(backbone, cut).length)));
}
