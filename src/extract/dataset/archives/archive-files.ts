import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { archiveKind, folderOf, rootKind, type ArchiveKind } from '../../archives/archive-place.ts';
import { expandBraces } from '../../archives/brace-pattern.ts';
import { withLocalFile, type ByteFile } from '../../archives/byte-file.ts';
import { byCodeUnits, within, type ImageTree } from '../image-tree.ts';
import type { ClassNames } from './sample-classes.ts';

/** The archives of a data set, wherever they lie. */
export interface ArchiveFiles {
  /** The data set, for messages. */
  readonly where: string;
  readonly kind: ArchiveKind;
  /** Paths of the archives as sample paths begin, sorted; '' alone where the data set is one archive. */
  readonly names: readonly string[];
  /** Runs `work` on one of them, which is open meanwhile. */
  readonly withFile: <T>(name: string, work: (file: ByteFile) => Promise<T>) => Promise<T>;
  /** The lines of classnames.txt beside the archives; undefined where it is not there. */
  readonly classNames: () => Promise<ClassNames | undefined>;
}

/** The file that names the classes of numbers, as CLIP benchmark's data sets have it. */
const CLASS_NAMES = 'classnames.txt';

async function readClassNames(folder: string): Promise<ClassNames | undefined> {
  const from = join(folder, CLASS_NAMES);
  try {
    const text = await readFile(from, 'utf8');
    return { from, list: text.replace(/^\ufeff/, '').trimEnd().split(/\r?\n/) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PermafrostError('DATASET_NOT_FOUND', `${from} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

async function localFile<T>(path: string, work: (file: ByteFile) => Promise<T>): Promise<T> {
  try {
    return await withLocalFile(path, work);
  } catch (cause) {
    if (cause instanceof PermafrostError || !(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PermafrostError('DATASET_NOT_FOUND', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

/** Archives in a folder: those that `tree` has, which holds no class folders. Undefined where there is none. */
export async function archivesIn(root: string, tree: ImageTree): Promise<ArchiveFiles | undefined> {
  const names: string[] = [];
  async function walk(path: string): Promise<void> {
    const { folders, others } = await tree.list(path);
    for (const name of others) if (archiveKind(name) !== undefined) names.push(within(path, name));
    for (const name of folders) await walk(within(path, name));
  }
  await walk('');
  return names.length === 0 ? undefined : archiveFiles(root, root, names);
}

/** The archives that a root names: itself, or those of its pattern; undefined where it is a folder or another file. */
export async function namedArchives(root: string): Promise<ArchiveFiles | undefined> {
  const is = await rootKind(root);
  if (is === 'folder') return undefined;
  const absolute = resolve(root);
  const folder = folderOf(absolute, is);
  const names = is === 'archive' ? [''] : expandBraces(absolute).map((path) => path.slice(folder.length + 1));
  return archiveFiles(root, is === 'archive' ? absolute : folder, names);
}

function archiveFiles(where: string, root: string, names: readonly string[]): ArchiveFiles {
  const kinds = new Set(names.map((name) => archiveKind(name === '' ? root : name)!));
  if (kinds.size > 1) {
    const one = (kind: ArchiveKind): string => names.find((name) => archiveKind(name) === kind)!;
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${where} holds tar archives (${one('tar')}) and Parquet files (${one('parquet')}). Give a folder that has one kind of them.`,
    );
  }
  return {
    where,
    kind: [...kinds][0]!,
    names: [...new Set(names)].sort(byCodeUnits),
    withFile: (name, work) => localFile(join(root, name), work),
    classNames: () => readClassNames(names[0] === '' ? join(root, '..') : root),
  };
}
