import type { Dataset } from '../../extract/dataset/dataset.ts';
import { fingerprintOf } from '../../store/format/fingerprint.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { Extractor } from '../network/extractor.ts';
import { readableList } from './readable-list.ts';
import type { Work } from '../work.ts';

/**
 * Whether a store lists every image of a data set, by its path, with all features that an extractor gives and as many
 * views; images that failed count as listed. Whether files changed since then only reading them can tell.
 */
export async function isExtracted(
  store: StoreFolder,
  { samples }: Pick<Dataset, 'samples'>,
  { sets }: Pick<Extractor, 'sets'>,
  views: number,
  work: Work,
): Promise<boolean> {
  const { dataset } = store.manifest;
  const isHeld = sets.every(({ settings, poolings }) => {
    const held = dataset.sets.find(({ fingerprint }) => fingerprint === fingerprintOf(settings));
    return held !== undefined && poolings.every((pooling) => held.poolings.includes(pooling));
  });
  if (!isHeld || (dataset.views?.length ?? 0) < views) return false;
  const listed = await readableList(store, work);
  if (listed === undefined) return false;
  const known = new Set(dataset.failures.map(({ path }) => path));
  for (const { path } of listed) known.add(path);
  return samples.every(({ path }) => known.has(path));
}
