import { PermafrostError } from '../../core/errors.ts';
import type { Pooling } from '../../core/sample.ts';
import { suggest } from '../../core/suggest.ts';
import type { Backbone, Layer } from './backbone.ts';

/** Shape of one image's activation. */
export interface ActivationShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The names of all layers at which the backbone can be cut, shallow to deep. */
export function cutLayerNames(backbone: Backbone): readonly string[] {
  return backbone.layers.map(({ name }) => name);
}

/** The layers from the input to `cut`, that one included. Throws OPTION_INVALID for an unknown name. */
export function layersUpTo(backbone: Backbone, cut: string): readonly Layer[] {
  const names = cutLayerNames(backbone);
  const depth = names.indexOf(cut);
  if (depth === -1) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${backbone.name} has no cut layer "${cut}"${suggest(cut, names)}. Choose one of: ${names.join(', ')}.`,
    );
  }
  return backbone.layers.slice(0, depth + 1);
}

/**
 * Shape of the activation of `cut` for an RGB square of `size` pixels. Throws OPTION_INVALID for an unknown cut and for
 * a square so small that pooling leaves nothing.
 */
export function outputShape(backbone: Backbone, cut: string, size: number): ActivationShape {
  let side = size;
  let channels = 3;
  for (const layer of layersUpTo(backbone, cut)) {
    if (layer.kind === 'conv') channels = layer.filters;
    else side = Math.floor(side / 2);
  }
  if (side < 1) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `Size ${size} is too small for ${cut} of ${backbone.name}: its pooling layers halve the square until nothing is left. Take a larger size or an earlier cut layer.`,
    );
  }
  return { height: side, width: side, channels };
}

/** Length of the feature vector of one image: height * width * channels for flatten, channels for the others. */
export function featureWidth(shape: ActivationShape, pooling: Pooling): number {
  return pooling === 'flatten' ? shape.height * shape.width * shape.channels : shape.channels;
}
