import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of a store, or a folder. */
export interface FoundFile {
  /** Relative to the store. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** All files and folders below a store, sorted by name. A link counts as what it leads to, but is not gone into. */
export async function filesIn(store: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  async function walk(folder: string): Promise<void> {
    const entries = await readdir(join(store, folder), { withFileTypes: true });
    for (const entry of entries) {
      const name = join(folder, entry.name);
      const isFolder =
        entry.isDirectory() ||
        (entry.isSymbolicLink() &&
          (await stat(join(store, name)).then(
            (facts) => facts.isDirectory(),
            () => false,
          )));
      found.push({ name, isFolder });
      if (entry.isDirectory()) await walk(name);
    }
  }
  await walk('');
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
