import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { SampleRows } from '../../store/format/shard.ts';
import { storeFiles } from '../../store/read/file.ts';
import { storedList } from '../../store/read/samples.ts';
import type { Work } from '../work.ts';

/** The images that a store lists; undefined where it lists none, or its list is damaged, which is told. */
export async function readableList(
  { path, manifest }: StoreFolder,
  { listener }: Work,
): Promise<SampleRows | undefined> {
  if (manifest.dataset.samples === undefined) return undefined;
  try {
    return await storedList(storeFiles(path), manifest).samples();
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'STORE_CORRUPT') throw error;
    listener?.note?.(`The store's list of images is made anew, for it cannot be read: ${reasonOf(error)}`);
    return undefined;
  }
}
