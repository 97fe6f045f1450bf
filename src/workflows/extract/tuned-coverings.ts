import { plural } from '../../core/plural.ts';
import type { SampleRows } from '../../store/format/shard.ts';
import type { FeatureSetDraft, StoreDraft } from '../../store/format/manifest.ts';
import { setsWriter, type WantedDraft } from '../../store/write/sets-writer.ts';
import type { Work } from '../work.ts';

/** Images of which a set lacks some of the wanted poolings, by their numbers in the list. */
async function lackingIn(store: StoreDraft, wanted: WantedDraft, samples: SampleRows): Promise<number> {
  // Nothing is written: it knows what a set holds.
  const writer = await setsWriter({ store, wanted: [wanted], expectedRows: 1 });
  let lacking = 0;
  for (const { sha256 } of samples) lacking += Number(!writer.isKnown(sha256));
  return lacking;
}

/**
 * The sets of tuned networks that stand beside the primary ones of the data set, or were its primary ones, and still
 * hold all of its images; `but` are those that are primary now. What falls out is reported.
 */
export async function tunedCoverings(
  store: StoreDraft,
  samples: SampleRows,
  but: readonly WantedDraft[],
  { listener }: Work,
): Promise<WantedDraft[]> {
  const { sets, dataset } = store.manifest;
  const own = new Set(but.map(({ set }) => set.fingerprint));
  const found: WantedDraft[] = [];
  for (const { fingerprint, poolings } of [...(dataset.tuned ?? []), ...dataset.sets]) {
    const set = sets.find((one): one is FeatureSetDraft => one.fingerprint === fingerprint);
    if (set?.tuned === undefined || own.has(fingerprint)) continue;
    own.add(fingerprint);
    const lacking = await lackingIn(store, { set, poolings }, samples);
    if (lacking === 0) found.push({ set, poolings });
    else
      listener?.note?.(
        `The features of the tuned network ${fingerprint} lack ${plural(lacking, 'image')} of the data set, so no command takes them until "permafrost extract ${store.path} --backbone-file FILE" has brought these.`,
      );
  }
  return found;
}
