import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../core/machine/cache-folder.ts';
import { PermafrostError } from '../../core/errors.ts';
import { BACKBONE_FILE, readBackboneJson, type BackboneDescription } from '../contracts/backbone-json.ts';

/** Where networks lie that `backbones add` was given: a folder each, named by the file's digest. */
export const addedFolder = (): string => cacheFolder('backbones');

/** The file of the added network with that digest. */
export const addedFile = (digest: string): string => join(addedFolder(), digest, 'network.onnx');

/** A network that was added, and what its description says. */
export interface AddedGraph {
  readonly name: string;
  readonly path: string;
  readonly digest: string;
  readonly description: BackboneDescription;
}

/** The networks that were added, by name. What is no network's folder is passed over; throws CONTRACT_INVALID. */
export async function addedGraphs(): Promise<readonly AddedGraph[]> {
  const folders = await readdir(addedFolder()).catch((error: unknown) => {
    if (error instanceof Error && 'syscall' in error) return [];
    throw error;
  });
  const found = await Promise.all(
    folders
      .filter((digest) => /^[0-9a-f]{64}$/.test(digest) && existsSync(join(addedFolder(), digest, BACKBONE_FILE)))
      .map(async (digest): Promise<AddedGraph> => {
        const description = await readBackboneJson(join(addedFolder(), digest, BACKBONE_FILE));
        return { name: description.name ?? digest, path: addedFile(digest), digest, description };
      }),
  );
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file of the added network of that name; undefined where there is none. Throws OPTION_INVALID for two of them. */
export async function addedGraph(name: string): Promise<string | undefined> {
  const [first, second] = (await addedGraphs()).filter((added) => added.name === name);
  if (second === undefined) return first?.path;
  throw new PermafrostError(
    'OPTION_INVALID',
    `Two networks were added as "${name}": ${first!.path} and ${second.path}. Give the file itself, or remove one of these folders.`,
  );
}
