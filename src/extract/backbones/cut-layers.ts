import { PermafrostError } from '../../core/errors.ts';
import type { Pooling } from '../../core/sample.ts';
import { suggest } from '../../core/suggest.ts';
import {
  isLayerBackbone,
  type ActivationShape,
  type Backbone,
  type GraphBackbone,
  type GraphCut,
  type Layer,
  type LayerBackbone,
} from './backbone.ts';

export type { ActivationShape } from './backbone.ts';

/** The names of the cuts of a network, shallow to deep: all layers of a list, of a graph those that were measured. */
export function cutLayerNames(backbone: Backbone): readonly string[] {
  if (isLayerBackbone(backbone)) return backbone.layers.map(({ name }) => name);
  return [...backbone.cuts].sort(([, a], [, b]) => a.depth - b.depth).map(([name]) => name);
}

function unknownCut(backbone: Backbone, cut: string): PermafrostError {
  const names = cutLayerNames(backbone);
  return new PermafrostError(
    'OPTION_INVALID',
    `${backbone.name} has no cut layer "${cut}"${suggest(cut, names)}. Choose one of: ${names.join(', ')}.`,
  );
}

/** The layers from the input to `cut`, that one included. Throws OPTION_INVALID for an unknown name. */
export function layersUpTo(backbone: LayerBackbone, cut: string): readonly Layer[] {
  const depth = cutLayerNames(backbone).indexOf(cut);
  if (depth === -1) throw unknownCut(backbone, cut);
  return backbone.layers.slice(0, depth + 1);
}

/** A cut of a graph. Throws OPTION_INVALID for one that was not measured. */
export function graphCut(backbone: GraphBackbone, cut: string): GraphCut {
  const found = backbone.cuts.get(cut);
  if (found === undefined) throw unknownCut(backbone, cut);
  return found;
}

/** How deep a cut lies: deeper ones have larger numbers. Throws OPTION_INVALID for an unknown name. */
export const depthOf = (backbone: Backbone, cut: string): number =>
  isLayerBackbone(backbone) ? layersUpTo(backbone, cut).length : graphCut(backbone, cut).depth;

/**
 * Shape of the activation of `cut` for an RGB square of `size` pixels. Throws OPTION_INVALID for an unknown cut and for
 * a square so small that pooling leaves nothing.
 */
export function outputShape(backbone: Backbone, cut: string, size: number): ActivationShape {
  if (!isLayerBackbone(backbone)) return graphCut(backbone, cut).shape;
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

/** The poolings that maps have. */
export const MAP_POOLINGS = ['flatten', 'avg', 'max', 'gem'] as const satisfies readonly Pooling[];
export type MapPooling = (typeof MAP_POOLINGS)[number];

/** The poolings that tokens have, of which so many of the first are no patches. */
export const tokenPoolings = (prefix: number): readonly Pooling[] =>
  prefix === 0 ? ['flatten', 'avg', 'max'] : ['flatten', 'avg', 'max', 'cls'];

interface CutPooling {
  readonly cut: string;
  readonly pooling: Pooling;
}

/** The pooling of an output of a map. Throws OPTION_INVALID for `cls`. */
export function mapPooling({ cut, pooling }: CutPooling): MapPooling {
  if (pooling !== 'cls') return pooling;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${cut} has no class token, so there is no ${cut}:cls. Take avg, max or flatten.`,
  );
}

/** Throws OPTION_INVALID for a pooling that tokens do not have. */
function requireTokenPooling({ width, prefix }: ActivationShape, { cut, pooling }: CutPooling): void {
  if (pooling === 'flatten') return;
  const refuse = (why: string): never => {
    throw new PermafrostError('OPTION_INVALID', why);
  };
  if (pooling === 'gem') {
    refuse(
      `${cut} is a list of tokens, whose values may be negative: gem is of maps alone. Take cls, avg, max or flatten.`,
    );
  }
  if (prefix === undefined) {
    refuse(
      `${cut} has ${width} tokens, which is no square and no square and one: how many of the first are no patches must be said (prefix of the cut in backbone.json). Without it there is ${cut}:flatten alone.`,
    );
  }
  if (prefix === 0) mapPooling({ cut, pooling });
}

/** Throws OPTION_INVALID for a pooling that a cut of a graph does not have. */
export function requireGraphPooling({ axes, shape }: GraphCut, output: CutPooling): void {
  if (axes === 'tokens') return requireTokenPooling(shape, output);
  if (mapPooling(output) === 'gem' && axes === 'vector') {
    throw new PermafrostError('OPTION_INVALID', `${output.cut} is a vector: gem is of maps alone. Take avg.`);
  }
}

/** Throws OPTION_INVALID for a pooling that a cut of a network does not have. */
export function requirePooling(backbone: Backbone, output: CutPooling): void {
  if (isLayerBackbone(backbone)) mapPooling(output);
  else requireGraphPooling(graphCut(backbone, output.cut), output);
}

/** The poolings that are kept of a cut where none is named. */
export function defaultPoolings(backbone: Backbone, cut: string): readonly Pooling[] {
  if (isLayerBackbone(backbone)) return ['flatten', 'avg', 'max'];
  // The maps of other networks are large and seldom asked for; of a vector all poolings are the same numbers.
  return (graphCut(backbone, cut).shape.prefix ?? 0) > 0 ? ['avg', 'cls'] : ['avg'];
}
