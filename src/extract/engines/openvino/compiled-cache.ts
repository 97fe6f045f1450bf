import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';

/** Compiled networks kept: one is as large as its weights (59 MB for VGG16). */
const MOST_KEPT = 4;
const ENDING = '.blob';

/**
 * Compiled networks in a folder, as `<key>-<SHA-256 of the bytes>.blob`. OpenVINO's own cache (CACHE_DIR) checks the length of what it
 * finds but not its bytes: with a damaged file it computes wrong features and says nothing.
 */
export interface CompiledCache {
  /** The bytes stored under `key`, or undefined. What is damaged is removed. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Stores what `exportTo` writes to the path that it gets, and drops what was unused for longest. Rejects as the file system does. */
  write(key: string, exportTo: (path: string) => Promise<void>): Promise<void>;
  /** Forgets what is stored under `key`. */
  drop(key: string): Promise<void>;
}

async function blobs(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(ENDING));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function keepNewest(folder: string): Promise<void> {
  const dated = (await blobs(folder)).map(async (name) => {
    const path = join(folder, name);
    return { path, usedMs: (await stat(path)).mtimeMs };
  });
  const newestFirst = (await Promise.all(dated)).sort((a, b) => b.usedMs - a.usedMs);
  for (const { path } of newestFirst.slice(MOST_KEPT)) await rm(path, { force: true });
}

/** The cache in `folder`, which the first write makes. */
export function compiledCache(folder: string): CompiledCache {
  const stored = async (key: string): Promise<string[]> =>
    (await blobs(folder)).filter((name) => name.startsWith(`${key}-`));

  async function drop(key: string): Promise<void> {
    for (const name of await stored(key)) await rm(join(folder, name), { force: true });
  }

  return {
    drop,
    async read(key) {
      for (const name of await stored(key)) {
        const path = join(folder, name);
        const bytes = await readFile(path);
        if (name === `${key}-${sha256Hex(bytes)}${ENDING}`) {
          const now = new Date();
          await utimes(path, now, now);
          return bytes;
        }
      }
      await drop(key);
      return undefined;
    },
    async write(key, exportTo) {
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `${key}.${process.pid}.tmp`);
      try {
        await exportTo(temporary);
        const digest = sha256Hex(await readFile(temporary));
        await rename(temporary, join(folder, `${key}-${digest}${ENDING}`));
        await keepNewest(folder);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
