import { plural } from '../../../core/words.ts';
import { POOLINGS, type Pooling } from '../../../core/sample.ts';
import type { FeatureSetDraft, StoreDraft } from '../../../store/format/manifest.ts';
import type { SampleRows } from '../../../store/format/shard.ts';
import { setsWriter, type WantedDraft } from '../../../store/write/sets-writer.ts';
import type { Work } from '../../work.ts';

/** Images of a list that a set lacks in some of the wanted poolings. */
export async function lackingIn(store: StoreDraft, wanted: WantedDraft, samples: SampleRows): Promise<number> {
  // Nothing is written: it knows what a set holds.
  const writer = await setsWriter({ store, wanted: [wanted], expectedRows: 1 });
  let lacking = 0;
  for (const { sha256 } of samples) lacking += Number(!writer.isKnown(sha256));
  return lacking;
}

/** The poolings in which a set holds every image of a list. */
async function poolingsOver(store: StoreDraft, set: FeatureSetDraft, samples: SampleRows): Promise<Pooling[]> {
  const whole: Pooling[] = [];
  for (const pooling of POOLINGS)
    if ((await lackingIn(store, { set, poolings: [pooling] }, samples)) === 0) whole.push(pooling);
  return whole;
}

/**
 * The sets of tuned networks that hold every image of a list, and so stand beside the primary sets of the data set,
 * `primary`. That one of them falls out, or lacks a pooling now, is reported.
 */
export async function tunedCoverings(
  store: StoreDraft,
  samples: SampleRows,
  primary: readonly WantedDraft[],
  { listener }: Work,
): Promise<WantedDraft[]> {
  const { sets, dataset } = store.manifest;
  const own = new Set(primary.map(({ set }) => set.fingerprint));
  const before = new Map([...dataset.sets, ...(dataset.tuned ?? [])].map((one) => [one.fingerprint, one.poolings]));
  const found: WantedDraft[] = [];
  for (const set of sets) {
    const { fingerprint, tuned, settings } = set;
    if (tuned === undefined || settings.view !== undefined || own.has(fingerprint)) continue;
    const poolings = await poolingsOver(store, set, samples);
    if (poolings.length > 0) found.push({ set, poolings });
    const lost = (before.get(fingerprint) ?? []).filter((pooling) => !poolings.includes(pooling));
    if (lost.length === 0) continue;
    const lacking = plural(await lackingIn(store, { set, poolings: lost }, samples), 'image');
    listener?.note?.(
      `The ${lost.join('+')} features of the tuned network ${fingerprint} lack ${lacking} of the data set, so no command takes them until "permafrost extract ${store.path} --backbone-file FILE" has brought these.`,
    );
  }
  return found;
}
