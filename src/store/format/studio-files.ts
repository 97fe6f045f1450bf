import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readJournal, withoutUndone } from './journal.ts';
import { abandonedIn, isTemporary } from './temporary-files.ts';

/** What the studio keeps in a store, in the folder `studio`. */
export const STUDIO_FOLDER = 'studio';
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.number().int().nonnegative();

/** What was done to the taught classes. Images are named by the SHA-256 of their bytes, which lie in `images`. */
export const teachSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('add-class'), id, name: z.string() }),
  z.strictObject({ do: z.literal('rename-class'), id, name: z.string() }),
  z.strictObject({ do: z.literal('remove-class'), id }),
  z.strictObject({
    do: z.literal('add-image'),
    id,
    class: id,
    name: z.string(),
    sha256: digest,
    /** Images of one take of the camera have one. */
    take: z.string().optional(),
  }),
  z.strictObject({ do: z.literal('remove-image'), id }),
  z.strictObject({ do: z.literal('undo') }),
]);
export type TeachEvent = z.infer<typeof teachSchema>;

/** Average-pooled features of a taught image under the settings of a set, float32, little endian, in base64. */
export const taughtFeaturesSchema = z.strictObject({ sha256: digest, fingerprint: z.string(), avg: z.base64() });
export type TaughtFeatures = z.infer<typeof taughtFeaturesSchema>;

/** What was decided about the labels of the data set at `root`. */
export const reviewSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('decide'), root: z.string(), path: z.string(), sha256: digest, label: z.string() }),
  z.strictObject({ do: z.literal('undo') }),
]);
export type ReviewEvent = z.infer<typeof reviewSchema>;

const JOURNALS = {
  'teach.jsonl': teachSchema,
  'features.jsonl': taughtFeaturesSchema,
  'review.jsonl': reviewSchema,
} as const;
export type JournalName = keyof typeof JOURNALS;

export const journalPath = (store: string, name: JournalName): string => join(store, STUDIO_FOLDER, name);
export const taughtImagePath = (store: string, sha256: string): string => join(store, STUDIO_FOLDER, 'images', sha256);

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The SHA-256 of every image that the journal names, even of removed ones: an undo may bring them back. */
async function namedImages(store: string): Promise<Set<string>> {
  const { entries } = await readJournal(journalPath(store, 'teach.jsonl'), teachSchema);
  return new Set(entries.flatMap((entry) => (entry.do === 'add-image' ? [entry.sha256] : [])));
}

/**
 * What a killed studio left, relative to the store: unfinished files, and images that its journal does not name. A
 * damaged journal names nothing for certain: then no image counts as left over.
 */
export async function studioLeftovers(store: string): Promise<string[]> {
  const folder = join(store, STUDIO_FOLDER);
  const files = (await abandonedIn(folder, await listed(folder))).map((name) => join(STUDIO_FOLDER, name));
  const images = await listed(join(folder, 'images'));
  if (images.length === 0) return files;
  let named: Set<string> | undefined;
  try {
    named = await namedImages(store);
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
  }
  const unfinished = new Set(await abandonedIn(join(folder, 'images'), images));
  const left = images.filter((name) => unfinished.has(name) || (named?.has(name) === false && !isTemporary(name)));
  return [...files, ...left.map((name) => join(STUDIO_FOLDER, 'images', name))];
}

/** One class with the images that it has now. */
export interface TaughtFolder {
  readonly id: number;
  readonly name: string;
  readonly images: readonly (TeachEvent & { do: 'add-image' })[];
}

/** The classes that a journal of teaching leads to. Throws STORE_CORRUPT for one that speaks of a class not there. */
export function taughtFolders(events: readonly TeachEvent[]): TaughtFolder[] {
  const classes = new Map<number, { id: number; name: string; images: (TeachEvent & { do: 'add-image' })[] }>();
  const classOf = (id: number) => {
    const found = classes.get(id);
    if (found !== undefined) return found;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${STUDIO_FOLDER}/teach.jsonl speaks of the class ${id}, which was not added. Restore the file, or remove it to begin anew.`,
    );
  };
  for (const event of withoutUndone(events)) {
    switch (event.do) {
      case 'add-class':
        classes.set(event.id, { id: event.id, name: event.name, images: [] });
        break;
      case 'rename-class':
        classOf(event.id).name = event.name;
        break;
      case 'remove-class':
        classes.delete(event.id);
        break;
      case 'add-image':
        classOf(event.class).images.push(event);
        break;
      case 'remove-image':
        for (const one of classes.values()) one.images = one.images.filter(({ id }) => id !== event.id);
    }
  }
  return [...classes.values()];
}

/** The studio's files that are not what was written. */
export async function damagedStudioFiles(
  store: string,
): Promise<{ files: number; bytes: number; damaged: { name: string; problem: string }[] }> {
  const present = await listed(join(store, STUDIO_FOLDER));
  const damaged: { name: string; problem: string }[] = [];
  let [files, bytes] = [0, 0];
  for (const [name, schema] of Object.entries(JOURNALS)) {
    if (!present.includes(name)) continue;
    files++;
    try {
      bytes += (await readJournal<unknown>(join(store, STUDIO_FOLDER, name), schema)).bytes;
    } catch (error) {
      damaged.push({ name: join(STUDIO_FOLDER, name), problem: reasonOf(error) });
    }
  }
  const teach = damaged.some(({ name }) => name.endsWith('teach.jsonl'))
    ? []
    : (await readJournal(journalPath(store, 'teach.jsonl'), teachSchema)).entries;
  let images: readonly string[] = [];
  try {
    images = taughtFolders(teach).flatMap((one) => one.images.map(({ sha256 }) => sha256));
  } catch (error) {
    damaged.push({ name: join(STUDIO_FOLDER, 'teach.jsonl'), problem: reasonOf(error) });
  }
  for (const sha256 of new Set(images)) {
    const name = join(STUDIO_FOLDER, 'images', sha256);
    files++;
    try {
      const content = await readFile(join(store, name));
      bytes += content.length;
      if (sha256Hex(content) !== sha256) throw new Error('it is not what was written');
    } catch (error) {
      damaged.push({ name, problem: reasonOf(error) });
    }
  }
  return { files, bytes, damaged };
}

/** Forgets everything that was taught: journal, features, images. */
export async function clearTaught(store: string): Promise<void> {
  // The journal first: what is left after that is left over, and goes with the next writer.
  for (const path of [
    journalPath(store, 'teach.jsonl'),
    journalPath(store, 'features.jsonl'),
    join(store, STUDIO_FOLDER, 'images'),
  ])
    await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
      throw new PermafrostError('STORE_WRITE', `${path} cannot be removed: ${reasonOf(cause)}.`, { cause });
    });
}
