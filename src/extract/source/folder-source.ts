import { lstat, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import type { FileStamp } from '../../core/files/file-stamp.ts';
import { openRegular, readBytes } from '../../core/files/read-file.ts';
import { requireReadable, unreadable, type ImageSource } from './image-source.ts';

const isSame = (a: FileStamp, b: FileStamp): boolean => a.size === b.size && a.mtimeNs === b.mtimeNs;

async function stampOf(file: string): Promise<FileStamp> {
  const facts = await stat(file, { bigint: true });
  if (facts.isDirectory()) unreadable('It is a folder.');
  if (!facts.isFile())
    unreadable('It is a pipe, a socket or a device, no file: it is not opened. Take it out of the data set.');
  return facts;
}

async function read(file: string): Promise<Buffer> {
  await stampOf(file);
  const handle = await openRegular(file);
  try {
    const before = await handle.stat({ bigint: true });
    requireReadable(before.size);
    const bytes = await readBytes(handle, Number(before.size));
    const after = await handle.stat({ bigint: true });
    if (!isSame(before, after) || BigInt(bytes.length) !== after.size)
      unreadable('It changed while it was read: half of it may be of before. Run again when it is at rest.');
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Whether a path itself leads out of the data set's folder, as only lists of images (.csv, .jsonl) may. */
const namesOutside = (path: string): boolean => isAbsolute(path) || path.split('/')[0] === '..';

/** Throws IMAGE_UNREADABLE where a link leads out of the folder, or stands for a file outside. */
async function requireInside(root: string, path: string): Promise<void> {
  const named = resolve(root, path);
  const real = await realpath(named);
  if (namesOutside(path)) {
    if ((await lstat(named)).isSymbolicLink()) unreadable('It is a link to a place that the data set does not name.');
    return;
  }
  const top = await realpath(root);
  if (!real.startsWith(top.endsWith(sep) ? top : top + sep))
    unreadable('A link leads outside the folder of the data set, which the studio does not show.');
}

/** What a source of a folder's images does with links. */
export interface FolderLinks {
  /** With `inside` a link that leads out of the folder is IMAGE_UNREADABLE. Default: links are followed. */
  readonly links?: 'followed' | 'inside';
}

export interface FolderSource extends ImageSource {
  /** Throws IMAGE_UNREADABLE where a path leads out of the folder by a link, and that is not wanted. */
  readonly requireInside: (path: string) => Promise<void>;
}

/** The images in a folder; '' stands for no folder, of images that are named one by one. */
export function folderSource(root: string, { links = 'followed' }: FolderLinks = {}): FolderSource {
  const checked = async (path: string): Promise<void> => {
    if (links === 'inside') await requireInside(root, path);
  };
  return {
    root,
    stamp: (path) => stampOf(join(root, path)),
    async read(path) {
      await checked(path);
      return read(join(root, path));
    },
    requireInside: checked,
    close: () => Promise.resolve(),
  };
}
