import { PermafrostError } from '../../core/errors.ts';
import { poolingsIn, widthOf, type FeaturePart, type Pooling, type PoolingChoice } from '../../core/sample.ts';
import type { CoveringSet, FeatureSet, StoreFolder } from '../format/manifest.ts';

/** A set and the poolings of it that are meant. */
export interface WantedSet {
  readonly set: FeatureSet;
  readonly poolings: readonly Pooling[];
}

/** The pooling of a set with the fewest numbers an image: avg, else max or gem, else the whole map. */
export function smallPooling({ poolings }: WantedSet): Pooling {
  return (['avg', 'max', 'gem', 'flatten'] as const).find((pooling) => poolings.includes(pooling))!;
}

/** What is read for a pooling: what is stored of it; for a gem that is not stored, the map; undefined for neither. */
export function readFor({ poolings }: WantedSet, pooling: Pooling): Pooling | undefined {
  if (poolings.includes(pooling)) return pooling;
  return pooling === 'gem' && poolings.includes('flatten') ? 'flatten' : undefined;
}

/** A part of the features of the data set, with the set that holds it and its numbers an image. */
export interface StoredPart extends FeaturePart {
  readonly set: FeatureSet;
  readonly width: number;
  /** The pooling that is read: `flatten` of a gem that is not stored, and is made of the maps. */
  readonly stored: Pooling;
}

/** What is said of features that are made of others as they are read. */
export function madeOfMaps(parts: readonly StoredPart[]): string[] {
  return parts
    .filter(({ pooling, stored }) => stored !== pooling)
    .map(({ cut, pooling, set }) => {
      const rounded = set.settings.dtype === 'float16' ? ', which are rounded to float16' : '';
      return `${cut}:${pooling} is made of the stored maps of ${cut}${rounded}; no image is read.`;
    });
}

/**
 * The sets of the last extraction, the primary one first; of a view (1 and up) those of the training images in it.
 * Throws STORE_EMPTY, and OPTION_INVALID for a view that was not stored.
 */
export function currentSets({ path, manifest }: StoreFolder, view = 0): readonly [WantedSet, ...WantedSet[]] {
  const { sets, views = [] } = manifest.dataset;
  const covering = view === 0 ? sets : views[view - 1];
  if (covering === undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${path} holds ${views.length} views of each training image, not ${view}. Extract with --views ${view}: what is there is reused.`,
    );
  }
  const setOf = ({ fingerprint }: CoveringSet): FeatureSet | undefined =>
    manifest.sets.find((set) => set.fingerprint === fingerprint);
  const [primary, ...others] = covering.flatMap((one) => {
    const set = setOf(one);
    return set === undefined ? [] : [{ set, poolings: one.poolings }];
  });
  // A set may be lost with its calibration; without the first the others are not what the data set names.
  if (primary === undefined || primary.set.fingerprint !== covering[0]!.fingerprint)
    throw new PermafrostError('STORE_EMPTY', `${path} holds no features yet. Run "permafrost extract" first.`);
  return [primary, ...others];
}

/**
 * Parts in words: of the primary cut alone the poolings, as `avg` or `avg+max`; of others `cut:pooling`, several joined
 * by commas.
 */
export function partsText(primary: string, parts: readonly FeaturePart[]): string {
  if (parts.every(({ cut }) => cut === primary)) return parts.map(({ pooling }) => pooling).join('+');
  return parts.map(({ cut, pooling }) => `${cut}:${pooling}`).join(',');
}

/** The primary set: that of the deepest cut of the last extraction. Throws STORE_EMPTY. */
export function currentSet(store: StoreFolder): FeatureSet {
  return currentSets(store)[0].set;
}

/**
 * The parts that are asked for: poolings of the primary set, or several of any cuts. Throws STORE_EMPTY, and
 * OPTION_INVALID, naming what there is, for a cut or pooling that was not extracted.
 */
export function storedParts(
  store: StoreFolder,
  wanted: PoolingChoice | readonly FeaturePart[],
  view = 0,
): StoredPart[] {
  const sets = currentSets(store, view);
  const { cut: primary } = sets[0].set.settings;
  const parts = typeof wanted === 'string' ? poolingsIn(wanted).map((pooling) => ({ cut: primary, pooling })) : wanted;
  return parts.map(({ cut, pooling }) => {
    const found = sets.find(({ set }) => set.settings.cut === cut);
    const stored = found && readFor(found, pooling);
    if (stored === undefined) {
      const there = sets.map(({ set, poolings }) => `${set.settings.cut}:${poolings.join('+')}`);
      const network = sets[0].set.tuned === undefined ? '' : ' and --backbone-file';
      throw new PermafrostError(
        'OPTION_INVALID',
        `${store.path} was extracted at ${there.join(', ')}, so it has no ${cut}:${pooling}. Choose of these, or run "permafrost extract" with --cut ${[...there, `${cut}:${pooling}`].join(',')}${network}: what is there is reused.`,
      );
    }
    const { set } = found!;
    return { cut, pooling, set, width: widthOf(set.widths, pooling), stored };
  });
}
