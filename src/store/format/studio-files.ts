import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { cutPath, readJournal, withoutUndone } from './journal.ts';
import { sealPath } from './seal-beside.ts';
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

/** The journals and the shape of their entries. */
export const JOURNALS = {
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

/**
 * The SHA-256 of every image that the journal names, even of removed ones, which an undo may bring back, and of lines
 * that were not finished: what a person taught is not removed while anything tells of it.
 */
async function namedImages(store: string): Promise<Set<string>> {
  const path = journalPath(store, 'teach.jsonl');
  await readJournal(path, teachSchema);
  const named = new Set<string>();
  for (const file of [path, cutPath(path)]) {
    const text = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    for (const [sha256] of text.matchAll(/[0-9a-f]{64}/g)) named.add(sha256);
  }
  return named;
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
  const named = await namedImages(store).catch(() => undefined);
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

/** The classes that a journal of teaching leads to. */
export function taughtFolders(events: readonly TeachEvent[]): TaughtFolder[] {
  const classes = new Map<number, { id: number; name: string; images: (TeachEvent & { do: 'add-image' })[] }>();
  for (const event of withoutUndone(events)) {
    switch (event.do) {
      case 'add-class':
        classes.set(event.id, { id: event.id, name: event.name, images: [] });
        break;
      case 'rename-class':
        classes.get(event.id)!.name = event.name;
        break;
      case 'remove-class':
        classes.delete(event.id);
        break;
      case 'add-image':
        classes.get(event.class)!.images.push(event);
        break;
      case 'remove-image':
        for (const one of classes.values()) one.images = one.images.filter(({ id }) => id !== event.id);
    }
  }
  return [...classes.values()];
}

/** The images of the present classes; none where the journal is damaged. */
export async function taughtImages(store: string): Promise<string[]> {
  const journal = await readJournal(journalPath(store, 'teach.jsonl'), teachSchema).catch(() => undefined);
  const images = taughtFolders(journal?.entries ?? []).flatMap((one) => one.images.map(({ sha256 }) => sha256));
  return [...new Set(images)];
}

/** Forgets everything that was taught: journal, features, images. */
export async function clearTaught(store: string): Promise<void> {
  // The journal first: what is left after that is left over, and goes with the next writer.
  const journals = (['teach.jsonl', 'features.jsonl'] as const).map((name) => journalPath(store, name));
  for (const path of [
    // A seal without its journal would say that it was lost.
    ...journals.flatMap((path) => [sealPath(path), path, cutPath(path)]),
    join(store, STUDIO_FOLDER, 'images'),
  ])
    await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
      throw new PermafrostError('STORE_WRITE', `${path} cannot be removed: ${reasonOf(cause)}.`, { cause });
    });
}
