import { join } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { byCodeUnits } from '../../extract/dataset/image-tree.ts';

/** Whether a name is a pattern of files, as shells know them: `photos/*.jpg`, `photos/*.{jpg,png}`. */
export const isPattern = (name: string): boolean => isDynamicPattern(name);

/** What a pattern matches, each sorted by code units. */
export interface Matched {
  readonly files: readonly string[];
  /** Folders, which are matched where no file is. */
  readonly folders: readonly string[];
}

/** The part of a pattern that stands for itself, and the rest. */
function split(pattern: string): { readonly base: string; readonly rest: string } {
  const parts = pattern.split('/');
  const at = parts.findIndex((part) => isDynamicPattern(part));
  // A brace may go over a slash.
  const from = at < 0 ? 0 : at;
  const base = parts.slice(0, from).join('/');
  return { base: base === '' && pattern.startsWith('/') ? '/' : base || '.', rest: parts.slice(from).join('/') };
}

/**
 * Files that a pattern matches, or folders where it matches no file. Hidden ones are left out unless the pattern names
 * them; links to folders are not followed.
 */
export async function matching(pattern: string): Promise<Matched> {
  const { base, rest } = split(process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern);
  const options = { cwd: base, expandDirectories: false, followSymbolicLinks: false } as const;
  const placed = (found: readonly string[]): string[] => found.map((path) => join(base, path)).sort(byCodeUnits);
  const files = placed(await glob(rest, { ...options, onlyFiles: true }));
  const folders = files.length > 0 ? [] : placed(await glob(rest, { ...options, onlyDirectories: true }));
  return { files, folders };
}
