import { plural } from '../../core/words.ts';
import type { Split } from '../../core/sample.ts';
import type { CoveringNetwork, FeatureSet, StoreDraft } from '../../store/format/manifest.ts';
import type { SampleRows } from '../../store/format/shard.ts';
import { isSameNetwork, nameOfNetwork } from '../../store/read/stored-networks.ts';
import { setsWriter, type WantedDraft } from '../../store/write/sets-writer.ts';
import type { Work } from '../work.ts';

/** The sets of another network that hold every image of the data set, and those of each view of its training images. */
export interface NetworkDraft {
  readonly sets: readonly WantedDraft[];
  readonly views: readonly (readonly WantedDraft[])[];
}

/** What of some sets holds every image of a list (of a split), and how many images the others lack. */
async function wholeOver(
  store: StoreDraft,
  wanted: readonly WantedDraft[],
  samples: SampleRows,
  split?: Split,
): Promise<{ readonly whole: WantedDraft[]; readonly lacking: number }> {
  // Nothing is written: it knows what a set holds.
  const writer = await setsWriter({ store, wanted, expectedRows: 1 });
  const lost = wanted.map(() => new Set<string>());
  let lacking = 0;
  for (const sample of samples) {
    if (split !== undefined && sample.split !== split) continue;
    let isWhole = true;
    for (const [i, poolings] of lost.entries()) {
      for (const pooling of writer.lackingIn(i, sample.sha256)) {
        poolings.add(pooling);
        isWhole = false;
      }
    }
    lacking += Number(!isWhole);
  }
  const whole = wanted.map(({ set, poolings }, i) => ({ set, poolings: poolings.filter((one) => !lost[i]!.has(one)) }));
  return { whole: whole.filter(({ poolings }) => poolings.length > 0), lacking };
}

/** The sets that a manifest names, to be written to. */
const draftsOf = ({ manifest }: StoreDraft, covering: CoveringNetwork['sets']): WantedDraft[] =>
  covering.flatMap(({ fingerprint, poolings }) => {
    const set = manifest.sets.find((one) => one.fingerprint === fingerprint);
    return set === undefined ? [] : [{ set, poolings }];
  });

/** Whether a network has features of every image of the store's list, and of every view that the data set names. */
export async function isWhole(store: StoreDraft, { sets, views = [] }: CoveringNetwork, samples: SampleRows) {
  const lacks = async (covering: CoveringNetwork['sets'], split?: Split): Promise<boolean> => {
    const drafts = draftsOf(store, covering);
    return drafts.length < covering.length || (await wholeOver(store, drafts, samples, split)).lacking > 0;
  };
  if (await lacks(sets)) return false;
  for (const view of views) if (await lacks(view, 'train')) return false;
  return true;
}

/**
 * The other networks that stood beside, or before, `primary` and still hold every image of a list: so one that is
 * extracted into a store takes no other's place. That one falls out is reported, but for those that `isNext` tells of,
 * which are extracted at once.
 */
export async function coveringNetworks(
  store: StoreDraft,
  samples: SampleRows,
  [primary]: readonly WantedDraft[],
  isNext: (set: FeatureSet) => boolean,
  { listener }: Work,
): Promise<NetworkDraft[]> {
  const { dataset } = store.manifest;
  const found: NetworkDraft[] = [];
  for (const before of [dataset, ...(dataset.others ?? [])]) {
    const sets = draftsOf(store, before.sets);
    const [first] = sets;
    // Of a tuned network tunedCoverings knows.
    if (first === undefined || first.set.tuned !== undefined || isSameNetwork(first.set, primary!.set)) continue;
    const { whole, lacking } = await wholeOver(store, sets, samples);
    if (lacking > 0 && !isNext(first.set))
      listener?.note?.(
        `The features of ${nameOfNetwork(first.set)} lack ${plural(lacking, 'image')} of the data set, so no command takes them until "permafrost extract" with its --backbone has brought these.`,
      );
    if (whole.length === 0) continue;
    const views: WantedDraft[][] = [];
    for (const view of before.views ?? []) {
      const { whole: held, lacking: unheld } = await wholeOver(store, draftsOf(store, view), samples, 'train');
      if (unheld > 0) break;
      views.push(held);
    }
    found.push({ sets: whole, views });
  }
  return found;
}
