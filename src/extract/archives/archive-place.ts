import { stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { isBracePattern } from './brace-pattern.ts';

/** Kinds of files that hold images, by their extension. */
const KINDS = { '.tar': 'tar', '.parquet': 'parquet' } as const;
export type ArchiveKind = (typeof KINDS)[keyof typeof KINDS];

/** The kind of archive that a name says, or undefined. */
export function archiveKind(name: string): ArchiveKind | undefined {
  const extension = extname(name).toLowerCase();
  return Object.hasOwn(KINDS, extension) ? KINDS[extension as keyof typeof KINDS] : undefined;
}

/** Where a data set's root leads: a folder, one archive, or a pattern of archives. */
export type RootKind = 'folder' | 'archive' | 'pattern';

/** Whether a name is that of a pattern of archives. */
export const isArchivePattern = (name: string): boolean => archiveKind(name) !== undefined && isBracePattern(name);

/** What a root on the disk is; one that is not there is a folder, if its name is no pattern. */
export async function rootKind(root: string): Promise<RootKind> {
  const facts = await stat(root).catch(() => undefined); // told where it is listed or read
  if (facts === undefined) return isArchivePattern(root) ? 'pattern' : 'folder';
  return facts.isFile() && archiveKind(root) !== undefined ? 'archive' : 'folder';
}

/** The folder that the archives of a root on the disk lie in. */
export const folderOf = (root: string, kind: RootKind): string => (kind === 'folder' ? root : dirname(root));

/** An image in an archive. */
export interface ArchivePlace {
  readonly kind: ArchiveKind;
  /** The archive, as the sample's path begins; '' where the root is the archive itself. */
  readonly archive: string;
  /** What of it is meant: a member's path, a row. */
  readonly inner: string;
}

/**
 * The archive and the place in it that a sample's path means, or undefined where it means a file. Below a folder it is
 * `shard-0.tar/cat/1.jpg`, and `cat/1.jpg` where the root is the archive itself.
 */
export function archivePlace(root: string, rootIs: RootKind, path: string): ArchivePlace | undefined {
  if (rootIs === 'archive') return { kind: archiveKind(root)!, archive: '', inner: path };
  const parts = path.split('/');
  const at = parts.findIndex((part, i) => i + 1 < parts.length && archiveKind(part) !== undefined);
  if (at < 0) return undefined;
  const archive = parts.slice(0, at + 1).join('/');
  return { kind: archiveKind(parts[at]!)!, archive, inner: path.slice(archive.length + 1) };
}
