import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';

/** Compiled networks kept: one is as large as its weights (59 MB for VGG16). */
const MOST_KEPT = 4;
/** What a killed process left half-written is removed after an hour. */
const STALE_MS = 3_600_000;
const ENDING = '.blob';

/** Bytes of the secret of a cache. */
const SECRET_BYTES = 32;

/**
 * Compiled networks in a folder, as `<key>-<mark>.blob`: the mark is the HMAC-SHA256 of key and bytes by a secret that
 * the user alone can read, beside the folder. So a file is taken only as what was compiled from that network, not as
 * what it calls itself. OpenVINO's own cache (CACHE_DIR) checks only the length: with a damaged file it silently
 * computes wrong features.
 */
export interface CompiledCache {
  /** The bytes stored under `key`, or undefined. What was changed since is told and removed. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Stores what `exportTo` writes to the path that it gets, and drops what was unused for longest. */
  write(key: string, exportTo: (path: string) => Promise<void>): Promise<void>;
  /** Forgets what is stored under `key`. */
  drop(key: string): Promise<void>;
}

/** Where the user's compiled networks lie. */
export function compiledFolder(): string {
  return cacheFolder('openvino-compiled');
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

/** The secret in a file, which is made where there is none; one that is cut short marks nothing. */
async function secretIn(file: string): Promise<Buffer> {
  const found = await unlessMissing(readFile(file));
  if (found?.length === SECRET_BYTES) return found;
  const temporary = `${file}.${randomUUID()}.tmp`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(temporary, randomBytes(SECRET_BYTES), { mode: 0o600, flag: 'wx' });
  try {
    if (found !== undefined) await rename(temporary, file);
    // The first of two processes decides; where there are no links, the last.
    else
      await link(temporary, file).catch((error: NodeJS.ErrnoException) =>
        error.code === 'EEXIST' ? undefined : rename(temporary, file),
      );
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(file);
}

/**
 * The cache in `folder`, which the first write makes; what it has to say goes to `note`. Its functions reject as the
 * file system does.
 */
export function compiledCache(folder: string, note?: (message: string) => void): CompiledCache {
  const secret = (): Promise<Buffer> => secretIn(`${folder}.key`);
  const nameOf = async (key: string, bytes: Uint8Array): Promise<string> => {
    const mark = createHmac('sha256', await secret())
      .update(`${key}\n`)
      .update(bytes);
    return `${key}-${mark.digest('hex')}${ENDING}`;
  };
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
        if (bytes === undefined) continue;
        if (name === (await nameOf(key, bytes))) {
          const now = new Date();
          await unlessMissing(utimes(path, now, now));
          return bytes;
        }
        note?.(
          `${path} is not the compiled network that was kept: it was changed, or an earlier permafrost kept it. It is removed, and the network compiled anew.`,
        );
      }
      await drop(key);
      return undefined;
    },
    async write(key, exportTo) {
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `${randomUUID()}.tmp`);
      try {
        await exportTo(temporary);
        await rename(temporary, join(folder, await nameOf(key, await readFile(temporary))));
        await tidy(folder);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
