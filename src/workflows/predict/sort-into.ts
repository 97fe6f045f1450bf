import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { factsOfFile } from '../../core/files/file-facts.ts';
import { isS3Address } from '../../extract/source/s3/address.ts';
import { imageSource } from '../../extract/source/open.ts';
import { folderNames } from './folder-names.ts';
import type { Row } from './sinks/answer-table.ts';

/** A folder that images are sorted into by what the head says of them. */
export interface SortedFolder {
  /** Puts the image of a row into the folder of its class. Throws STORE_WRITE. */
  put(row: Row): Promise<void>;
  /** Images that were put there, and those that lay there already. */
  readonly counts: { readonly put: number; readonly there: number; readonly gone: number };
  close(): Promise<void>;
}

/** Throws OPTION_INVALID where images would be sorted into a folder that they are looked for in. */
export function requireApart(folder: string, images: readonly string[]): void {
  const target = resolve(folder);
  const around = images.find((path) => !isS3Address(path) && `${target}${sep}`.startsWith(`${resolve(path)}${sep}`));
  if (around === undefined) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `predict: ${folder} lies in ${around}, whose images are sorted: the next run would meet them again. Name a folder outside.`,
  );
}

/** `photo.jpg`, `photo-2.jpg`, `photo-3.jpg`, … */
const numbered = (name: string, n: number): string => {
  const extension = extname(name);
  return n === 1 ? name : `${name.slice(0, name.length - extension.length)}-${n}${extension}`;
};

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

/** Sorts images below `folder`, which is made, by copies or links, under the classes of a head. */
export async function sortedFolder(folder: string, classes: readonly string[], isLink: boolean): Promise<SortedFolder> {
  const source = await imageSource('');
  const names = folderNames(classes);
  const counts = { put: 0, there: 0, gone: 0 };
  /** The next number of each name, so that a thousand equal names are not looked for a thousand times. */
  const next = new Map<string, number>();
  const made = new Set<string>();

  /** Makes `target`; false where something is there. */
  async function make(path: string, target: string): Promise<boolean> {
    const isFile = await isAFile(path);
    try {
      if (isLink) await symlink(isFile ? resolve(path) : noFile(path), target);
      else if (isFile) await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      else await writeFile(target, await source.read(path), { flag: 'wx' });
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    }
  }
  /** Whether what is there is this image, of a run before. */
  async function isSame(path: string, target: string): Promise<boolean> {
    const there = await lstat(target);
    if (there.isSymbolicLink()) return isLink && (await readlink(target)) === resolve(path);
    if (isLink || !there.isFile()) return false;
    const own = (await isAFile(path)) ? (await factsOfFile(path)).sha256 : sha256Hex(await source.read(path));
    return own === (await factsOfFile(target)).sha256;
  }
  async function place(path: string, into: string): Promise<void> {
    const name = basename(path);
    const key = join(into, name).toLowerCase();
    for (let n = next.get(key) ?? 1; ; n++) {
      next.set(key, n + 1);
      const target = join(into, numbered(name, n));
      if (await make(path, target)) counts.put++;
      else if (await isSame(path, target)) counts.there++;
      else continue;
      return;
    }
  }
  return {
    counts,
    async put(row) {
      const into = join(folder, names.of(row));
      try {
        if (!made.has(into)) await mkdir(into, { recursive: true });
        made.add(into);
        await place(row.path, into);
      } catch (cause) {
        // What could not be read as an image may not be there to copy.
        if ('reason' in row && (hasCode(cause, 'ENOENT') || cause instanceof PermafrostError)) {
          counts.gone++;
          return;
        }
        if (cause instanceof PermafrostError && cause.code === 'OPTION_INVALID') throw cause;
        const way = isLink ? 'linked' : 'copied';
        throw new PermafrostError(
          'STORE_WRITE',
          `${row.path} could not be ${way} into ${into}: ${reasonOf(cause)}. What was sorted before stays; make room or give permission, then run the same command again.`,
          { cause },
        );
      }
    },
    close: () => source.close(),
  };
}

const isAFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isFile(),
    () => false, // an image in an archive or in S3, or one that is not there: told where it is read
  );

/** Throws OPTION_INVALID. */
function noFile(path: string): never {
  throw new PermafrostError('OPTION_INVALID', `${path} is no file that a link could lead to. Leave --link out.`);
}
