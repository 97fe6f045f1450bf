import { PermafrostError } from '../../core/errors.ts';
import {
  DEFAULT_POOLINGS,
  POOLINGS,
  poolingsIn,
  type FeaturePart,
  type Pooling,
  type PoolingChoice,
} from '../../core/sample.ts';
import { suggest } from '../../core/suggest.ts';
import { isLayerBackbone, type Backbone } from '../../extract/backbones/backbone.ts';
import { cutLayerNames, defaultPoolings, depthOf } from '../../extract/backbones/cut-layers.ts';
import { LAYER_BACKBONES } from '../../extract/backbones/vgg.ts';

/** A cut layer and the poolings of it that are wanted, in the order of POOLINGS. */
export interface CutRequest {
  readonly cut: string;
  readonly poolings: readonly Pooling[];
}

function parsePoolings(text: string, of: string): readonly Pooling[] {
  const names = text.split('+').map((name) => name.trim());
  for (const name of names) {
    if (!(POOLINGS as readonly string[]).includes(name))
      throw new PermafrostError(
        'OPTION_INVALID',
        `--cut ${of}: there is no pooling "${name}"${suggest(name, POOLINGS)}. Choose of ${POOLINGS.join(', ')}, joined by +.`,
      );
  }
  if (new Set(names).size < names.length)
    throw new PermafrostError('OPTION_INVALID', `--cut ${of} names a pooling twice. Name each once.`);
  return POOLINGS.filter((pooling) => names.includes(pooling));
}

/** `cut` or `cut:avg+max`. A tensor's name may hold colons: what follows the last one counts as poolings. */
function parseCut(item: string): { readonly cut: string; readonly poolings: readonly Pooling[] | undefined } {
  const at = item.lastIndexOf(':');
  // TensorFlow numbers the outputs of an operator, as in `features/Relu:0`.
  if (at === -1 || /^\d+$/.test(item.slice(at + 1))) return { cut: item, poolings: undefined };
  const cut = item.slice(0, at).trim();
  const twice = (POOLINGS as readonly string[]).some((pooling) => cut.endsWith(`:${pooling}`));
  if (cut === '' || item.endsWith(':') || twice)
    throw new PermafrostError(
      'OPTION_INVALID',
      `--cut takes cut layers with their poolings, such as block4_pool:avg+max,block5_pool, got "${item}".`,
    );
  return { cut, poolings: parsePoolings(item.slice(at + 1), item) };
}

function parseList(text: string): readonly ReturnType<typeof parseCut>[] {
  const cuts = text.split(',').map((item) => parseCut(item.trim()));
  const names = cuts.map(({ cut }) => cut);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new PermafrostError('OPTION_INVALID', `--cut names ${twice} twice. Name it once, its poolings joined by +.`);
  return cuts;
}

/** The names of the cuts that a text asks for. Throws OPTION_INVALID for an unknown pooling or a repeated cut. */
export const namesOfCuts = (text: string): readonly string[] =>
  text === '' ? [] : parseList(text).map(({ cut }) => cut);

/**
 * Reads `block3_pool:avg,block4_pool:avg+max,block5_pool`: cuts of a backbone, each with its poolings or those that are
 * kept by default; '' is the backbone's own cut. The deepest comes first. Throws OPTION_INVALID for an unknown or
 * repeated cut or pooling.
 */
export function parseCuts(text: string, backbone: Backbone): CutRequest[] {
  const own = isLayerBackbone(backbone) ? backbone.layers.at(-1)!.name : backbone.defaultCut;
  const aliases = isLayerBackbone(backbone) ? undefined : backbone.aliases;
  const cuts = parseList(text || own).map(({ cut: name, poolings }): CutRequest => {
    const cut = aliases?.get(name) ?? name;
    return { cut, poolings: poolings ?? defaultPoolings(backbone, cut) };
  });
  // Of each, so that one that is not there is refused where it is alone too.
  const depths = new Map(cuts.map(({ cut }) => [cut, depthOf(backbone, cut)]));
  return cuts.sort((a, b) => depths.get(b.cut)! - depths.get(a.cut)!);
}

/**
 * What `parseCuts` reads, the deepest first, as short as it can be written: a cut in DEFAULT_POOLINGS stands by itself.
 */
export function cutsText(cuts: readonly CutRequest[]): string {
  return cuts
    .map(({ cut, poolings }) => (poolings.join() === DEFAULT_POOLINGS.join() ? cut : `${cut}:${poolings.join('+')}`))
    .join(',');
}

/** The cuts that parts are of, in their order, each with its poolings: what a pass must give for them. */
export function cutsOfParts(parts: readonly FeaturePart[]): CutRequest[] {
  const cuts = [...new Set(parts.map(({ cut }) => cut))];
  return cuts.map((cut) => ({ cut, poolings: parts.filter((part) => part.cut === cut).map(({ pooling }) => pooling) }));
}

/** Each pooling of each cut by itself, in the order in which they stand side by side. */
export function partsOf(cuts: readonly CutRequest[]): FeaturePart[] {
  return cuts.flatMap(({ cut, poolings }) => poolings.map((pooling) => ({ cut, pooling })));
}

/** Position of a cut in lists of layers; those of graphs have none, and keep the order in which they were asked for. */
const layerOf = (cut: string): number =>
  Math.max(...LAYER_BACKBONES.map((one) => cutLayerNames(one).indexOf(cut.slice(cut.indexOf('/') + 1))));

/**
 * What `--cut` and `--pooling` choose of what is stored: of the primary cut where no cut is named, else of each cut its
 * own poolings, or those of the choice. Throws OPTION_INVALID for an unknown pooling or a repeated cut.
 */
export function chosenFeatures(cut: string, pooling: PoolingChoice): PoolingChoice | FeaturePart[] {
  if (cut === '') return pooling;
  const cuts = parseList(cut).map((one) => ({ cut: one.cut, poolings: one.poolings ?? poolingsIn(pooling) }));
  return partsOf(cuts.sort((a, b) => layerOf(b.cut) - layerOf(a.cut)));
}
