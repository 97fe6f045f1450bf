import type { Manifest } from '../../store/format/manifest.ts';
import { currentSets, smallPooling } from '../../store/read/parts.ts';
import { loadRows, readSamples, type LoadedFeatures } from '../../store/read/reader.ts';

/** Pooled features of every image (smallPooling), in the order of the paths. */
export async function everyImage(store: string, manifest: Manifest): Promise<LoadedFeatures> {
  const samples = await readSamples(store, manifest);
  return loadRows(store, manifest, smallPooling(currentSets(store, manifest)[0]), samples);
}
