import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { Manifest } from './manifest.ts';

/** What writeFileAtomic names a file that is not whole yet. */
const TEMPORARY = /\.\d+\.tmp$/;
/** Names of the writer's shards and of a data set's samples. */
const OWN_ARROW = /^(samples-[0-9a-f]{16}|.+-[0-9a-f]{16}-\d{5}-(rows|flatten|avg|max))\.arrow$/;

/** Whether a killed process leaves a file of that name where it was about to make a store. */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

/** Removes a file of the store that nothing names any more. Throws STORE_WRITE. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_WRITE',
      `${path} is left over and cannot be removed: ${reasonOf(cause)}. Give permission, then run the same command again.`,
      { cause },
    );
  });
}

/**
 * Removes what a killed process has left in a store: files that were not whole yet (of heads too), shards and sample lists that it had not
 * come to name in the manifest. Other files stay. Throws STORE_WRITE.
 */
export async function removeLeftovers(store: string, manifest: Manifest): Promise<void> {
  const named = new Set<string | undefined>([
    manifest.dataset.samples?.name,
    ...manifest.sets.flatMap(({ shards }) =>
      shards.flatMap(({ files }) => Object.values(files).map(({ name }) => name)),
    ),
  ]);
  const entries = await readdir(store, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const heads = entries.some((entry) => entry.name === 'heads' && entry.isDirectory())
    ? await readdir(join(store, 'heads'))
    : [];
  const left = [
    ...files.filter((name) => isTemporary(name) || (OWN_ARROW.test(name) && !named.has(name))),
    ...heads.filter(isTemporary).map((name) => join('heads', name)),
  ];
  for (const name of left) await removeFile(join(store, name));
}
