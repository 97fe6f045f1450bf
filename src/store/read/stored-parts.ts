import { PermafrostError } from '../../core/errors.ts';
import { POOLING_CHOICES, poolingsIn, type FeaturePart, type Pooling, type PoolingChoice } from '../../core/sample.ts';
import type { CoveringSet, FeatureSet, Manifest, StoreFolder } from '../format/manifest.ts';

/** A set and the poolings of it that are meant. */
export interface WantedSet {
  readonly set: FeatureSet;
  readonly poolings: readonly Pooling[];
}

/** The pooling of a set with the fewest numbers an image: of tokens cls; avg, else max or gem, else the whole map. */
export function smallPooling({ poolings }: WantedSet): Pooling {
  return (['cls', 'avg', 'max', 'gem', 'flatten'] as const).find((pooling) => poolings.includes(pooling))!;
}

/** What is read for a pooling: what is stored of it; for a gem that is not stored, the map; undefined for neither. */
export function readFor({ poolings }: WantedSet, pooling: Pooling): Pooling | undefined {
  if (poolings.includes(pooling)) return pooling;
  return pooling === 'gem' && poolings.includes('flatten') ? 'flatten' : undefined;
}

/** The single names that features of a set can be chosen by. */
export const poolingChoicesOf = (set: WantedSet): readonly PoolingChoice[] =>
  POOLING_CHOICES.filter((choice) => poolingsIn(choice).every((pooling) => readFor(set, pooling) !== undefined));

/** A part of the features of the data set, with the set that holds it and its numbers an image. */
export interface StoredPart extends FeaturePart {
  /** What the cut is called in this store (stored-networks.ts); `set` knows which layer or tensor it is. */
  readonly cut: string;
  /** What its network is called. */
  readonly network: string;
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
 * The sets of the primary network, that which was extracted last, the deepest cut first; of a view (1 and up) those of
 * the training images in it. Throws STORE_EMPTY, and OPTION_INVALID for a view that was not stored.
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
  const [primary, ...others] = setsOf(manifest, covering);
  // A set may be lost with its calibration; without the first the others are not what the data set names.
  if (primary === undefined || primary.set.fingerprint !== covering[0]!.fingerprint)
    throw new PermafrostError('STORE_EMPTY', `${path} holds no features yet. Run "permafrost extract" first.`);
  return [primary, ...others];
}

/** The sets that cover a data set, those that are there, with the poolings that count. */
export const setsOf = ({ sets }: Pick<Manifest, 'sets'>, covering: readonly CoveringSet[]): WantedSet[] =>
  covering.flatMap(({ fingerprint, poolings }) => {
    const set = sets.find((one) => one.fingerprint === fingerprint);
    return set === undefined ? [] : [{ set, poolings }];
  });

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
