import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { factsOfFile } from '../../core/files/file-facts.ts';
import { POOLINGS, SPLITS } from '../../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { checkGraphFile, type GraphShape } from './graph-file.ts';
import { requireHeld } from './lock/held-locks.ts';
import { coveringSets, type FileEntry, type Manifest } from './manifest.ts';
import { sealJson, unseal } from './sealed-json.ts';
import { abandonedIn, removeUnfinished, withTemporaries } from './temporary-files.ts';

/** The folder of a store in which neighbour indices lie. */
export const INDEX_FOLDER = 'indexes';

const count = z.number().int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** All that decides an index: the features, which samples, and the parameters of the graph. */
const keySchema = z.strictObject({
  kind: z.literal('hnsw'),
  /** What stands side by side in the features: the fingerprint of the set, and the pooling. */
  parts: z
    .array(
      z.strictObject({
        fingerprint: z.string(),
        pooling: z.enum(POOLINGS),
        /** Where the pooling was made of a stored one. */
        of: z.enum(POOLINGS).exactOptional(),
      }),
    )
    .min(1),
  /** SHA-256 of the list of samples. */
  samples: digest,
  split: z.enum(SPLITS),
  metric: z.string(),
  M: count,
  efConstruction: count,
  seed: count,
  /** Which rows, where several graphs share them: every `of`-th, from `number` on. */
  part: z.strictObject({ number: count, of: count }).optional(),
  /** Rows drawn with the seed that no graph holds, for recall to be measured on; 0 where graphs hold all rows. */
  apart: count.optional(),
});
export type IndexKey = z.infer<typeof keySchema>;

/** What a search of the k nearest that keeps `ef` candidates was measured to find, on `queries` rows. */
const recallSchema = z.strictObject({ k: count, ef: count, recall: z.number().min(0).max(1), queries: count });
export type IndexRecall = z.infer<typeof recallSchema>;

const NAME = /^hnsw-[0-9a-f]{16}\.(?:bin|json)$/;
const sealSchema = z.strictObject({
  format: z.literal('permafrost-index'),
  version: z.literal(1),
  of: keySchema,
  file: z.strictObject({ name: z.string().regex(/^hnsw-[0-9a-f]{16}\.bin$/), bytes: count, sha256: digest }),
  recall: recallSchema,
});
type Seal = z.infer<typeof sealSchema>;

const stemOf = (key: IndexKey): string => `hnsw-${sha256Hex(canonicalJson(key)).slice(0, 16)}`;

/** The seal in a file of the index folder; undefined where there is none or it is no seal of that name. */
async function sealIn(store: string, name: string): Promise<Seal | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(join(store, INDEX_FOLDER, name), 'utf8'));
    const seal = sealSchema.parse(unseal(json));
    return `${stemOf(seal.of)}.json` === name ? seal : undefined;
  } catch {
    return undefined;
  }
}

/** A kept file of an index: where it lies, verified, and the recall of the whole index. */
export interface FoundIndex {
  readonly path: string;
  readonly recall: IndexRecall;
}

/** Whether there is a seal under `key`; what it seals is not read. */
export const isIndexKept = async (store: string, key: IndexKey): Promise<boolean> =>
  (await sealIn(store, `${stemOf(key)}.json`)) !== undefined;

/**
 * The file under `key`, of a graph over rows of this shape; undefined where there is none, or a writer has just removed
 * it. Throws STORE_CORRUPT.
 */
export async function findIndex(store: string, key: IndexKey, shape: GraphShape): Promise<FoundIndex | undefined> {
  const seal = await sealIn(store, `${stemOf(key)}.json`);
  if (seal === undefined) return undefined;
  const entry = inFolder(seal.file);
  const path = join(store, entry.name);
  try {
    await checkIndexFile(store, entry);
    await checkGraphFile(path, shape).catch((cause: unknown) => {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} is no graph of these features: found ${reasonOf(cause)}. Delete it; it is built again.`,
        { cause },
      );
    });
  } catch (error) {
    // Whoever removes it has removed its seal before.
    if (!(await isIndexKept(store, key))) return undefined;
    throw error;
  }
  return { path, recall: seal.recall };
}

/** Throws STORE_CORRUPT where an index' file is missing or not what was written. */
export async function checkIndexFile(store: string, { name, bytes, sha256 }: FileEntry): Promise<void> {
  const path = join(store, name);
  const advice = 'Run "permafrost repair", which removes it; it is built again when it is next asked for.';
  const found = await factsOfFile(path).catch((cause: unknown) => {
    throw new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}. ${advice}`, { cause });
  });
  if (found.bytes === bytes && found.sha256 === sha256) return;
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${path} is not what was written (${found.bytes} bytes, expected ${bytes} with SHA-256 ${sha256.slice(0, 16)}…). ${advice}`,
  );
}

/** The names of both files of an index, of which `name` is one; none where it is no file of an index. */
export const indexParts = (name: string): string[] =>
  name.startsWith(join(INDEX_FOLDER, '/')) ? [name, name.replace(/\.bin$/, '.json')] : [];

const inFolder = (file: FileEntry): FileEntry => ({ ...file, name: join(INDEX_FOLDER, file.name) });

/**
 * Keeps the files of an index, each under its key, whole or not at all. `make` writes them to the given paths and
 * returns their common recall, which is sealed with them. The caller holds the store's lock. Throws STORE_WRITE, and
 * what `make` throws as PermafrostError.
 */
export function keepIndex<R extends IndexRecall>(
  store: string,
  keys: readonly IndexKey[],
  make: (paths: readonly string[]) => Promise<R>,
): Promise<R> {
  const paths = keys.map((key) => join(store, INDEX_FOLDER, `${stemOf(key)}.bin`));
  return withTemporaries(paths, (temporary) => keepThrough(temporary, store, keys, make));
}

async function keepThrough<R extends IndexRecall>(
  temporary: readonly string[],
  store: string,
  keys: readonly IndexKey[],
  make: (paths: readonly string[]) => Promise<R>,
): Promise<R> {
  const folder = join(store, INDEX_FOLDER);
  try {
    await mkdir(folder, { recursive: true });
    for (const of of keys)
      for (const end of ['bin', 'json']) await removeUnfinished(join(folder, `${stemOf(of)}.${end}`));
    const recall = await make(temporary);
    for (const [i, of] of keys.entries()) {
      const [name, path] = [`${stemOf(of)}.bin`, temporary[i]!];
      const handle = await open(path, 'r+');
      await handle.sync();
      await handle.close();
      const file = { name, ...(await factsOfFile(path)) };
      await requireHeld(store);
      await rename(path, join(folder, name));
      const seal: Seal = { format: 'permafrost-index', version: 1, of, file, recall };
      await writeFileAtomic(join(folder, `${stemOf(of)}.json`), [new TextEncoder().encode(sealJson(seal))]);
    }
    return recall;
  } catch (cause) {
    // What cannot be removed is no reason to hide why it was not written.
    await Promise.all(temporary.map((path) => rm(path, { force: true }).catch(() => undefined)));
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'STORE_WRITE',
      `The index in ${folder} could not be written: ${reasonOf(cause)}. Make room or give permission, then run the same command again.`,
      { cause },
    );
  }
}

async function namesIn(store: string): Promise<string[]> {
  const entries = await readdir(store, { withFileTypes: true });
  const isThere = entries.some((entry) => entry.name === INDEX_FOLDER && entry.isDirectory());
  return isThere ? (await readdir(join(store, INDEX_FOLDER))).sort() : [];
}

/** The files of a store's indices, as their seals describe them; what has no seal is left over. */
export async function indexFiles(store: string): Promise<FileEntry[]> {
  const seals = await Promise.all(
    (await namesIn(store)).filter((name) => name.endsWith('.json')).map((name) => sealIn(store, name)),
  );
  return seals.flatMap((seal) => (seal === undefined ? [] : [inFolder(seal.file)]));
}

/**
 * Files of the index folder that nothing needs: unfinished, without seal or other half, or of features or samples that
 * are not current. Names are relative to the store; other files are the user's own.
 */
export async function indexLeftovers(store: string, { dataset }: Manifest): Promise<string[]> {
  const names = await namesIn(store);
  const needed = new Set<string>();
  const current = new Set(coveringSets({ dataset }).map(({ fingerprint }) => fingerprint));
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const seal = await sealIn(store, name);
    if (seal === undefined || seal.of.samples !== dataset.samples?.sha256) continue;
    const isCurrent = seal.of.parts.every(({ fingerprint }) => current.has(fingerprint));
    if (isCurrent) for (const part of [name, seal.file.name]) needed.add(part);
  }
  const unfinished = await abandonedIn(join(store, INDEX_FOLDER), names);
  return [...unfinished, ...names.filter((name) => NAME.test(name) && !needed.has(name))].map((name) =>
    join(INDEX_FOLDER, name),
  );
}
