import { coveringSets, type FeatureSet, type StoreFolder } from '../format/manifest.ts';
import { setsOf } from '../read/stored-parts.ts';
import type { SampleList } from '../read/samples.ts';
import { heldContents, heldElsewhere } from '../write/held-contents.ts';

/** A set that must hold every image of the data set, and how many contents it lacks. */
export interface MissingRows {
  readonly cut: string;
  /** The set's fingerprint, which names its files. */
  readonly fingerprint: string;
  readonly images: number;
}

/** Whether a set is of an augmented view: those hold training images alone. */
const isView = ({ settings }: FeatureSet): boolean => settings.view !== undefined;

/**
 * The sets that lack features of the data set's images, as a `repair` that was killed leaves them: none in a whole
 * store. Its shards must be readable. Throws STORE_CORRUPT.
 */
export async function missingRows(store: StoreFolder & SampleList): Promise<MissingRows[]> {
  const { path, manifest } = store;
  if (manifest.dataset.samples === undefined) return [];
  const found: MissingRows[] = [];
  for (const wanted of setsOf(manifest, coveringSets(manifest))) {
    const { set } = wanted;
    const held = heldElsewhere(await heldContents(path, [wanted]));
    const missing = new Set<string>();
    for (const { sha256, split } of await store.samples())
      if ((!isView(set) || split === 'train') && held.decoderOf(sha256) === 0) missing.add(sha256);
    if (missing.size > 0) found.push({ cut: set.settings.cut, fingerprint: set.fingerprint, images: missing.size });
  }
  return found;
}
