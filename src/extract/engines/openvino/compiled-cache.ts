import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';

/** Compiled networks kept: one is as large as its weights (59 MB for VGG16). */
const MOST_KEPT = 4;
/** What a killed process left half-written is removed after an hour. */
const STALE_MS = 3_600_000;
const ENDING = '.blob';

/**
 * Compiled networks in a folder, as `<key>-<SHA-256 of the bytes>.blob`. OpenVINO's own cache (CACHE_DIR) checks only
 * the length: with a damaged file it silently computes wrong features.
 */
export interface CompiledCache {
  /** The bytes stored under `key`, or undefined. What is damaged is removed. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Stores what `exportTo` writes to the path that it gets, and drops what was unused for longest. */
  write(key: string, exportTo: (path: string) => Promise<void>): Promise<void>;
  /** Forgets what is stored under `key`. */
  drop(key: string): Promise<void>;
}

/** Where the user's compiled networks lie. */
export function compiledFolder(): string {
  return join(cacheFolder(), 'openvino-compiled');
}

/** The outcome, or undefined where the file is not there: another process may remove what this one has just listed. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function namesIn(folder: string, ending: string): Promise<string[]> {
  return ((await unlessMissing(readdir(folder))) ?? []).filter((name) => name.endsWith(ending));
}

/** The files with this ending, the one used last first. */
async function newestFirst(folder: string, ending: string): Promise<{ path: string; usedMs: number }[]> {
  const paths = (await namesIn(folder, ending)).map((name) => join(folder, name));
  const dated = await Promise.all(
    paths.map(async (path) => ({ path, usedMs: (await unlessMissing(stat(path)))?.mtimeMs ?? 0 })),
  );
  return dated.sort((a, b) => b.usedMs - a.usedMs);
}

async function tidy(folder: string): Promise<void> {
  const unused = (await newestFirst(folder, ENDING)).slice(MOST_KEPT);
  const stale = (await newestFirst(folder, '.tmp')).filter(({ usedMs }) => usedMs < Date.now() - STALE_MS);
  for (const { path } of [...unused, ...stale]) await rm(path, { force: true });
}

/** The cache in `folder`, which the first write makes. Its functions reject as the file system does. */
export function compiledCache(folder: string): CompiledCache {
  const stored = async (key: string): Promise<string[]> =>
    (await namesIn(folder, ENDING)).filter((name) => name.startsWith(`${key}-`));

  async function drop(key: string): Promise<void> {
    for (const name of await stored(key)) await rm(join(folder, name), { force: true });
  }

  return {
    drop,
    async read(key) {
      for (const name of await stored(key)) {
        const path = join(folder, name);
        const bytes = await unlessMissing(readFile(path));
        if (bytes !== undefined && name === `${key}-${sha256Hex(bytes)}${ENDING}`) {
          const now = new Date();
          await unlessMissing(utimes(path, now, now));
          return bytes;
        }
      }
      await drop(key);
      return undefined;
    },
    async write(key, exportTo) {
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `${randomUUID()}.tmp`);
      try {
        await exportTo(temporary);
        const digest = sha256Hex(await readFile(temporary));
        await rename(temporary, join(folder, `${key}-${digest}${ENDING}`));
        await tidy(folder);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
