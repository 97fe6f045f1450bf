import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

/**
 * A maker of empty folders under the system's temporary one; all of them are removed after the tests of the calling
 * file.
 */
export function temporaryFolders(): () => string {
  const made: string[] = [];
  afterAll(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'permafrost-test-'));
    made.push(folder);
    return folder;
  };
}

/** Writes files below `root`; a path that ends in a slash is an empty folder. */
export function writeTree(root: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(path.endsWith('/') ? target : dirname(target), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(target, content);
  }
  return root;
}

/** Makes files as old as what a process left long ago. */
export function makeOld(...paths: string[]): void {
  for (const path of paths) utimesSync(path, 1, 1);
}
