import { DEFAULT_POOLINGS, type Pooling } from '../../core/sample.ts';
import { depthOf } from '../../extract/backbones/cut-layers.ts';
import { requireLayerBackbone } from '../../extract/backbones/layer-backbones.ts';
import { openStore, type Store } from '../../store/open.ts';
import { currentSets, type WantedSet } from '../../store/read/stored-parts.ts';
import { extractStored } from '../extract/extract-stored.ts';
import type { CutRequest } from '../network/cuts.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import type { Tail } from './training/tail.ts';

/** What is asked of the store beside the tail. */
export interface NeededViews {
  readonly views: number;
  /** The weights file that the store was extracted with; empty: the bundled weights. */
  readonly weights: string;
}

/** The cuts that a fine-tuning reads: the maps of its cut, and the pooled features of the frozen head. */
function neededCuts({ cut, last }: Tail): { readonly cut: string; readonly pooling: Pooling }[] {
  return [{ cut: last, pooling: 'avg' as const }, ...(cut === undefined ? [] : [{ cut, pooling: 'flatten' as const }])];
}

/**
 * The store with all that a fine-tuning reads: what is missing is extracted, in one pass over the images, once for all.
 * Throws what extractStored throws, STORE_LOCKED.
 */
export async function withNeededSets(
  store: Store,
  tail: Tail,
  { views, weights }: NeededViews,
  work: Work,
): Promise<Store> {
  const sets = currentSets(store);
  const stored = store.manifest.dataset.views?.length ?? 0;
  const viewed = stored === 0 ? [] : currentSets(store, 1);
  const needed = neededCuts(tail);
  const lacksIn = (there: readonly WantedSet[]) =>
    needed.filter(
      ({ cut, pooling }) => !there.some(({ set, poolings }) => set.settings.cut === cut && poolings.includes(pooling)),
    );
  const missing = lacksIn(sets);
  const viewsMissing =
    views > 0 && tail.cut !== undefined && (stored < views || lacksIn(viewed).some(({ cut }) => cut === tail.cut));
  if (missing.length === 0 && !viewsMissing) return store;
  work.listener?.note?.(
    `The store lacks ${[...missing.map(({ cut, pooling }) => `${cut}:${pooling}`), ...(viewsMissing ? [`${views} views of ${tail.cut}`] : [])].join(' and ')}: extracted now, once for all.`,
  );
  const lock = await store.lock('permafrost finetune', lockRequest(work));
  try {
    await extractStored(
      store,
      {
        cuts: joinedCuts(sets, missing),
        views: Math.max(stored, viewsMissing ? views : 0),
        viewCuts: [...viewed.map(({ set }) => set.settings.cut), ...(viewsMissing ? [tail.cut] : [])],
        weights,
      },
      work,
    );
  } finally {
    await lock.release();
  }
  return openStore(store.path);
}

/** The cuts of the store with those that it lacks, these in all poolings, the deepest first. */
function joinedCuts(sets: readonly WantedSet[], missing: readonly { readonly cut: string }[]): CutRequest[] {
  const wanted = new Map<string, readonly Pooling[]>(sets.map(({ set, poolings }) => [set.settings.cut, poolings]));
  for (const { cut } of missing) wanted.set(cut, DEFAULT_POOLINGS);
  const backbone = requireLayerBackbone(sets[0]!.set.settings.backbone, 'finetune');
  return [...wanted]
    .map(([cut, poolings]): CutRequest => ({ cut, poolings }))
    .sort((a, b) => depthOf(backbone, b.cut) - depthOf(backbone, a.cut));
}
