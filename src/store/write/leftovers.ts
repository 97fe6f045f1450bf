import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from '../format/atomic-file.ts';
import { staleAnswers } from '../format/answers/kept-answers.ts';
import { indexLeftovers } from '../format/index-file.ts';
import { isLocked, isLockFile } from './lock.ts';
import { restingOn, type StoreFolder } from '../format/manifest.ts';
import { abandonedIn } from '../format/temporary-files.ts';
import { isStoreFile, shardFileNames } from './shard-files.ts';
import { STUDIO_FOLDER, studioLeftovers } from '../format/studio-files.ts';

/** Folders in which commands write that take no lock of the store; indices and the studio look after their own. */
const FOLDERS = ['heads', 'finetune', 'taught'];

/**
 * What a killed process has left in a store, as sorted names relative to it: unfinished files, of every command, that
 * no living process writes, images that no journal names, shards and sample lists that the manifest
 * does not name, indices that are not current, and tables of answers of heads that are gone or of other labels. Other
 * files are the user's own.
 */
export async function leftovers({ path: store, manifest }: StoreFolder): Promise<string[]> {
  const named = new Set<string | undefined>([
    manifest.dataset.samples?.name,
    ...manifest.sets.flatMap((set) => [
      ...restingOn(set).map(({ name }) => name),
      ...set.shards.flatMap(shardFileNames),
    ]),
  ]);
  const entries = await readdir(store, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  // Whoever takes the lock removes what a killed process left of it.
  const unfinished = (await abandonedIn(store, files)).filter((name) => !isLockFile(name));
  for (const folder of FOLDERS) {
    if (!entries.some((entry) => entry.name === folder && entry.isDirectory())) continue;
    const left = await abandonedIn(join(store, folder), await readdir(join(store, folder)));
    unfinished.push(...left.map((name) => join(folder, name)));
  }
  // A studio at work has files that are not named yet.
  const studio = (await isLocked(join(store, STUDIO_FOLDER))) ? [] : await studioLeftovers(store);
  return [
    ...studio,
    ...unfinished,
    ...files.filter((name) => isStoreFile(name) && !named.has(name)),
    ...(await indexLeftovers(store, manifest)),
    ...(await staleAnswers(store, manifest.dataset.samples?.sha256)),
  ].sort();
}

/** Names with those of seals first: what is removed after its seal is taken for whole by nobody. */
export const sealsFirst = (names: readonly string[]): string[] =>
  names.toSorted((a, b) => Number(b.endsWith('.json')) - Number(a.endsWith('.json')));

/** Removes `leftovers`. Throws STORE_WRITE. */
export async function removeLeftovers(store: StoreFolder): Promise<void> {
  for (const name of sealsFirst(await leftovers(store))) await removeFile(join(store.path, name));
}
