import { PermafrostError } from '../../core/errors.ts';
import type { Layer } from '../backbones/backbone.ts';
import { layersUpTo } from '../backbones/cut-layers.ts';
import { outputNames, type LayerProgram } from '../program.ts';

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
  outputNames(outputs);
  return backbone.layers.slice(0, Math.max(...outputs.map(({ cut }) => layersUpTo(backbone, cut).length)));
}
