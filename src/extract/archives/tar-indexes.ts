import { stampText } from '../../core/files/file-stamp.ts';
import type { ByteFile } from './byte-file.ts';
import { tarIndex, type SideFiles, type TarIndex } from './tar-index.ts';

/** Members of archives whose places are kept, the last used archives first: about 200 bytes each, 400 MB in all. */
const KEPT_MEMBERS = 2_000_000;

const kept = new Map<string, { readonly stamp: string; readonly index: Promise<TarIndex> }>();

async function dropOldest(): Promise<void> {
  let members = 0;
  for (const [name, { index }] of [...kept].reverse()) {
    const size = await index.then(
      (found) => found.members.size,
      () => 0,
    );
    members += size;
    if (members > KEPT_MEMBERS && members > size) kept.delete(name);
  }
}

/**
 * The index of an archive as it is now. It is kept in this process: an archive that did not change since it was listed
 * is not walked again when its images are read. With `sides` it is walked in any case. Throws as tarIndex.
 */
export async function tarIndexOf(file: ByteFile, sides?: SideFiles): Promise<TarIndex> {
  const stamp = stampText(file.stamp);
  const known = kept.get(file.name);
  kept.delete(file.name);
  const isFresh = sides === undefined && known?.stamp === stamp;
  const index = isFresh ? known.index : tarIndex(file, sides);
  kept.set(file.name, { stamp, index });
  try {
    const found = await index;
    if (!isFresh) await dropOldest();
    return found;
  } catch (error) {
    if (kept.get(file.name)?.index === index) kept.delete(file.name);
    throw error;
  }
}
