import type { OrReason } from '../../results/report-data.ts';
import { differingSettings } from '../../store/format/fingerprint.ts';
import { headParts, type HeadDocument, type HeadPart } from '../../store/read/heads/head-file.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import { currentSets, readFor } from '../../store/read/stored-parts.ts';

/** A head's parts as the store holds them; a reason where settings differ or one is missing. Throws STORE_EMPTY. */
export function storedPartsOfHead(
  store: StoreFolder,
  document: HeadDocument,
): OrReason<{ readonly parts: readonly HeadPart[] }> {
  const sets = currentSets(store);
  const parts = headParts(document);
  const { settings } = document;
  const own = sets.find(({ set }) => set.settings.cut === settings.cut) ?? sets[0];
  const differing = differingSettings(settings, own.set.settings);
  for (const { cut, pooling } of parts) {
    const there = sets.find(({ set }) => set.settings.cut === cut);
    if ((there === undefined || readFor(there, pooling) === undefined) && differing.length === 0)
      differing.push(`${cut}:${pooling} is not there`);
  }
  return differing.length === 0 ? { parts } : { missing: differing.join('; ') };
}
