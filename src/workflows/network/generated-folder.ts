import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { temporaryPath } from '../../store/format/temporary-files.ts';

/** A folder whose files can be made again at any time from what `digest` covers. */
export interface GeneratedFolder {
  /** Absolute path. */
  readonly root: string;
  /** Digest of all that decides the content of the files. */
  readonly digest: string;
  /** The files, relative to `root`, with forward slashes. */
  readonly paths: readonly string[];
}

/** Hidden, so that no data set scan takes it for a part of the data. */
const STAMP = '.generated.json';

type Stamp = Omit<GeneratedFolder, 'root'>;

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

async function filesUnder(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw cause;
  }
}

async function readStamp(root: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(join(root, STAMP), 'utf8')) as Stamp;
  } catch (cause) {
    // A stamp is written before its folder gets its name; one that is torn all the same vouches for nothing.
    if (cause instanceof SyntaxError || isMissing(cause)) return undefined;
    throw cause;
  }
}

/** Whether the folder is there with all its files, made from what `digest` covers. */
export async function isComplete({ root, digest, paths }: GeneratedFolder): Promise<boolean> {
  const present = new Set(await filesUnder(root));
  return (await readStamp(root))?.digest === digest && paths.every((path) => present.has(path));
}

/**
 * Makes the folder anew: `make` fills an empty folder, which replaces the old one in a single rename. When `make`
 * throws, the old folder stays. Throws DATASET_LAYOUT rather than delete a file that is not its own, STORE_WRITE.
 */
export async function generate(folder: GeneratedFolder, make: (unfinished: string) => Promise<void>): Promise<void> {
  const { root, digest, paths } = folder;
  const own = new Set([...paths, ...((await readStamp(root))?.paths ?? []), STAMP]);
  const foreign = (await filesUnder(root)).find((path) => !own.has(path));
  if (foreign !== undefined) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${root} has to be made anew but holds "${foreign}", which was not made by permafrost. Move that file away or name another folder.`,
    );
  }
  const unfinished = temporaryPath(root);
  try {
    await mkdir(unfinished, { recursive: true });
    try {
      await make(unfinished);
      await writeFile(join(unfinished, STAMP), JSON.stringify({ digest, paths } satisfies Stamp));
      await rm(root, { recursive: true, force: true });
      await rename(unfinished, root);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PermafrostError(
      'STORE_WRITE',
      `${root} could not be written: ${reasonOf(cause)}. Make room, give permission or name another folder.`,
      { cause },
    );
  }
}
