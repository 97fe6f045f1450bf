import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import { MANIFEST_NAME, restingOn, type FeatureSet, type FileEntry, type Manifest } from '../format/manifest.ts';
import { readManifest } from '../format/manifest-file.ts';

/** How often reading begins again where a writer was faster each time: a commit takes longer than opening a store. */
const TRIES = 10;

/**
 * Says that a writer has replaced what was being read: a new list of samples, rows that `gc` moved or removed. What is
 * on the disk is whole; who reads it opens the store again.
 */
export function storeChanged(store: string, what: string, cause?: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_CHANGED',
    `${store} changed while it was read: ${what}. Another command has extracted into it, collected or repaired it meanwhile; nothing is damaged. Run the same command again.`,
    { cause },
  );
}

export const isStoreChanged = (error: unknown): boolean =>
  error instanceof PermafrostError && error.code === 'STORE_CHANGED';

/** Does `work` from its beginning again as long as it ends with STORE_CHANGED; thrown where that is so each time. */
export async function readAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreChanged(error) || tries === TRIES) throw error;
    }
  }
}

/** What changes whenever the manifest of a store is replaced. */
export async function manifestStamp(store: string): Promise<string> {
  const facts = await stat(join(store, MANIFEST_NAME), { bigint: true }).catch(() => undefined);
  return facts === undefined ? 'none' : stampText(facts);
}

/**
 * What is seen of several files of a store that was not written to meanwhile: else `look` looks again. Throws
 * STORE_CHANGED where it is written to without a pause.
 */
export function whileSteady<T>(store: string, look: () => Promise<T>): Promise<T> {
  return readAgain(async () => {
    const before = await manifestStamp(store);
    const changed = async (): Promise<boolean> => (await manifestStamp(store)) !== before;
    const seen = await look().catch(async (error: unknown) => {
      throw (await changed()) ? storeChanged(store, 'its manifest was replaced', error) : error;
    });
    if (await changed()) throw storeChanged(store, 'its manifest was replaced');
    return seen;
  });
}

function* namedFiles({ dataset, sets }: Manifest): Generator<FileEntry> {
  if (dataset.samples !== undefined) yield dataset.samples;
  for (const set of sets) {
    yield* restingOn(set);
    for (const { files } of set.shards) yield* Object.values(files);
  }
}

/**
 * Whether the manifest that is on the disk now names this very file. Writers remove what it names no more, and only
 * that: a file that is named and cannot be read is damaged. Where there is no manifest to ask, true.
 */
export async function isStillNamed(store: string, { name, sha256 }: FileEntry): Promise<boolean> {
  const manifest = await readManifest(store).catch(() => undefined);
  if (manifest === undefined) return true;
  for (const file of namedFiles(manifest)) if (file.name === name && file.sha256 === sha256) return true;
  return false;
}

/** A set as it is on the disk now: `gc` and `migrate` move its rows to other shards. Throws STORE_CHANGED. */
export async function setNow(store: string, { fingerprint, settings }: FeatureSet): Promise<FeatureSet> {
  const found = (await readManifest(store)).sets.find((set) => set.fingerprint === fingerprint);
  if (found === undefined) throw storeChanged(store, `its features of ${settings.cut} were removed`);
  return found;
}
