import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../shared/', import.meta.url));

/**
 * Absolute path of a file in `shared/`, the folder beside the repository with golden files and photographs (not part of
 * it).
 */
export function sharedPath(name: string): string {
  return root + name;
}

/**
 * Whether `shared/` has that file or folder. Tests that need it skip visibly:
 * `describe.skipIf(!hasShared('golden'))(...)`.
 */
export function hasShared(name: string): boolean {
  return existsSync(sharedPath(name));
}

/** The name of a suite that reads `shared/`, saying why it is skipped where it is. */
export function needsShared(name: string, title: string): string {
  return hasShared(name) ? title : `${title} [skipped: ../shared/${name} is missing]`;
}
