import { dirname, join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { readText } from '../../../core/files/read-file.ts';
import { archiveKind, folderOf, rootKind } from '../../archives/archive-place.ts';
import { expandBraces } from '../../archives/brace-pattern.ts';
import { withLocalFile, type ByteFile } from '../../archives/byte-file.ts';
import type { ImageTree } from '../image-tree.ts';
import {
  archiveFiles,
  archivesIn,
  CLASS_NAMES,
  namesInLines,
  type ArchiveAccess,
  type ArchiveFiles,
} from './archive-files.ts';
import type { ClassNames } from './sample-classes.ts';

async function readClassNames(folder: string): Promise<ClassNames | undefined> {
  const from = join(folder, CLASS_NAMES);
  try {
    return { from, list: namesInLines(await readText(from)) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PermafrostError('DATASET_NOT_FOUND', `${from} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

async function withFile<T>(path: string, work: (file: ByteFile) => Promise<T>): Promise<T> {
  try {
    return await withLocalFile(path, work);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PermafrostError('DATASET_NOT_FOUND', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

const accessTo = (where: string, folder: string): ArchiveAccess => ({
  where,
  withFile: (name, work) => withFile(resolve(folder, name), work),
  classNames: () => readClassNames(folder),
});

/** The archives in a folder that has no class folders; undefined where there are none. Throws DATASET_LAYOUT. */
export async function archivesInFolder(root: string, tree: ImageTree): Promise<ArchiveFiles | undefined> {
  const found = await archivesIn(tree);
  return found && archiveFiles(found.names, accessTo(root, root), found.warnings);
}

/** The archives that a root names: itself, or those of its pattern; undefined where it is a folder or another file. */
export async function namedArchives(root: string): Promise<ArchiveFiles | undefined> {
  const is = await rootKind(root);
  if (is === 'folder') return undefined;
  if (is === 'archive') {
    return {
      where: root,
      kind: archiveKind(root)!,
      names: [''],
      warnings: [],
      withFile: (_, work) => withFile(resolve(root), work),
      classNames: () => readClassNames(dirname(resolve(root))),
    };
  }
  const folder = folderOf(resolve(root), is);
  const names = expandBraces(resolve(root)).map((path) => path.slice(folder.length + 1));
  return archiveFiles(names, accessTo(root, folder), []);
}
