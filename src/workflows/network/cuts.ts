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
import { layersUpTo } from '../../extract/backbones/cut-layers.ts';
import { vgg16 } from '../../extract/backbones/vgg16.ts';

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

/**
 * Reads `block3_pool:avg,block4_pool:avg+max,block5_pool`: cut layers of VGG16 with their poolings or `fallback`. The
 * deepest comes first. Throws OPTION_INVALID for an unknown or repeated cut or pooling.
 */
export function parseCuts(text: string, fallback: readonly Pooling[] = DEFAULT_POOLINGS): CutRequest[] {
  const cuts = text.split(',').map((item): CutRequest => {
    const [cut = '', poolings, ...rest] = item.split(':').map((word) => word.trim());
    if (rest.length > 0)
      throw new PermafrostError(
        'OPTION_INVALID',
        `--cut takes cut layers with their poolings, such as block4_pool:avg+max,block5_pool, got "${item.trim()}".`,
      );
    return { cut, poolings: poolings === undefined ? fallback : parsePoolings(poolings, item.trim()) };
  });
  const names = cuts.map(({ cut }) => cut);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new PermafrostError('OPTION_INVALID', `--cut names ${twice} twice. Name it once, its poolings joined by +.`);
  const depths = new Map(names.map((cut) => [cut, layersUpTo(vgg16, cut).length]));
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

/**
 * What `--cut` and `--pooling` choose: of the primary cut where no cut is named, else of each cut its own poolings, or
 * those of the choice. Throws OPTION_INVALID as `parseCuts`.
 */
export function chosenFeatures(cut: string, pooling: PoolingChoice): PoolingChoice | FeaturePart[] {
  return cut === '' ? pooling : partsOf(parseCuts(cut, poolingsIn(pooling)));
}
