import type { FeaturePart } from '../../core/sample.ts';
import type { OrReason } from '../../results/report-data.ts';
import { differingSettings } from '../../store/format/fingerprint.ts';
import { headNetworks, type HeadDocument, type HeadNetwork } from '../../store/read/heads/head-file.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import { storedNetworks, type NamedSet, type StoredNetwork } from '../../store/read/stored-networks.ts';
import { readFor } from '../../store/read/stored-parts.ts';

/** A head's parts as the store holds them; a reason where settings differ or one is missing. Throws STORE_EMPTY. */
export function storedPartsOfHead(
  store: StoreFolder,
  document: HeadDocument,
): OrReason<{ readonly parts: readonly (FeaturePart & { readonly width: number })[] }> {
  const stored = storedNetworks(store);
  const found: (FeaturePart & { readonly width: number })[] = [];
  for (const network of headNetworks(document)) {
    const sets = setsLike(stored, network);
    const { settings } = network;
    const own = sets.find(({ set }) => set.settings.cut === settings.cut) ?? sets[0]!;
    const differing = differingSettings(settings, own.set.settings);
    for (const { cut, pooling, width, at } of network.parts) {
      const there = sets.find(({ set }) => set.settings.cut === cut);
      if (there !== undefined && readFor(there, pooling) !== undefined) found[at] = { cut: there.name, pooling, width };
      else if (differing.length === 0) differing.push(`${cut}:${pooling} is not there`);
    }
    if (differing.length > 0) return { missing: differing.join('; ') };
  }
  return { parts: found };
}

/** The sets of that network in a store; those of the primary one where the store has none of it. */
function setsLike(
  stored: readonly [StoredNetwork, ...StoredNetwork[]],
  { settings }: HeadNetwork,
): readonly NamedSet[] {
  const isIts = ({ sets: [{ set }] }: StoredNetwork): boolean =>
    set.settings.backbone === settings.backbone && set.settings.weights === settings.weights;
  return (stored.find(isIts) ?? stored[0]).sets;
}
