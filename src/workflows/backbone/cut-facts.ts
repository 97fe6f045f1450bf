import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { isLayerBackbone, type Backbone, type GraphCut } from '../../extract/backbones/backbone.ts';
import {
  cutLayerNames,
  defaultPoolings,
  depthOf,
  featureWidth,
  graphCut,
  MAP_POOLINGS,
  outputShape,
  tokenPoolings,
} from '../../extract/backbones/cut-layers.ts';
import type { NetworkCut } from '../../results/backbone-results.ts';

/** The poolings that differ at a cut: of a vector all are the same numbers. */
function poolingsAt({ axes, shape: { height, width, prefix } }: Omit<GraphCut, 'depth'>): readonly Pooling[] {
  if (axes === 'tokens') return prefix === undefined ? ['flatten'] : tokenPoolings(prefix);
  return height * width === 1 ? ['avg'] : MAP_POOLINGS;
}

/** The cuts of a network for squares of `size` pixels, shallow to deep. */
export function cutFacts(backbone: Backbone, size: number): NetworkCut[] {
  const aliases = new Map<string, string>();
  if (!isLayerBackbone(backbone)) for (const [alias, tensor] of backbone.aliases ?? []) aliases.set(tensor, alias);
  return cutLayerNames(backbone).map((name) => {
    const shape = outputShape(backbone, name, size);
    const { height, width, channels, prefix = null } = shape;
    const kept = defaultPoolings(backbone, name);
    const alias = aliases.get(name);
    const axes = isLayerBackbone(backbone) ? 'NHWC' : graphCut(backbone, name).axes;
    return {
      name,
      alias: alias === name ? null : (alias ?? null),
      axes,
      height,
      width,
      channels,
      prefix,
      depth: depthOf(backbone, name),
      poolings: POOLINGS.filter((pooling) => poolingsAt({ axes, shape }).includes(pooling)).map((pooling) => ({
        pooling,
        width: featureWidth(shape, pooling),
        byDefault: kept.includes(pooling),
      })),
    };
  });
}
