import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { LayerBackbone } from './backbone.ts';
import { LAYER_BACKBONES } from './vgg.ts';

/** The list of layers of that name, or undefined. */
export const layerBackbone = (name: string): LayerBackbone | undefined =>
  LAYER_BACKBONES.find((backbone) => backbone.name === name);

/** The list of layers of that name. Throws OPTION_INVALID, saying for what it is needed, where that is a graph. */
export function requireLayerBackbone(name: string, what: string): LayerBackbone {
  const found = layerBackbone(name);
  if (found !== undefined) return found;
  const names = LAYER_BACKBONES.map((backbone) => backbone.name);
  throw new PermafrostError(
    'OPTION_INVALID',
    `${what} works on lists of layers (${names.join(', ')}), not on ${name === 'onnx' ? 'ONNX files' : `"${name}"${suggest(name, names)}`}.`,
  );
}
