import { statSync, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../errors.ts';

/** Write permission of the group, and of everybody. */
const [GROUP_WRITES, ALL_WRITE] = [0o020, 0o002];

/** What the system tells of a folder; undefined where there is none to load from: who reads there learns why. */
function factsOf(folder: string): Stats | undefined {
  try {
    return statSync(folder);
  } catch {
    return undefined;
  }
}

/** Who else can write into a folder, in words; undefined where nobody can. A group of the user's own number is he. */
function otherWriter({ uid, gid, mode }: Stats): string | undefined {
  const user = process.getuid?.();
  if (user === undefined) return undefined; // Windows, which has no such permissions
  if (uid !== user && uid !== 0) return `belongs to the user ${uid}, not to you (${user})`;
  if ((mode & ALL_WRITE) !== 0) return 'can be written by everybody';
  const isOwnGroup = gid === uid && gid === process.getgid?.();
  return (mode & GROUP_WRITES) !== 0 && !isOwnGroup ? `can be written by the group ${gid}` : undefined;
}

/** A folder into which nobody else can write: programs are loaded from it, and networks that decide features. */
function own(folder: string): string {
  const facts = factsOf(folder);
  const who = facts && otherWriter(facts);
  if (who === undefined) return folder;
  throw new PermafrostError(
    'CACHE_UNSAFE',
    `The cache ${folder} ${who}: engines and networks are loaded from it, so whoever writes there decides what is computed. Run "chmod go-w ${folder}" where it is yours, or set PERMAFROST_CACHE to a folder of your own.`,
  );
}

/**
 * Absolute path of the folder for what permafrost fetches or can make again, or of a part of it; it need not exist.
 * PERMAFROST_CACHE, else `permafrost` in the system's folder for caches (XDG_CACHE_HOME or ~/.cache, ~/Library/Caches,
 * LOCALAPPDATA). Throws CACHE_UNSAFE where others can write into either.
 */
export function cacheFolder(part = '', env: NodeJS.ProcessEnv = process.env): string {
  const root = own(rootFolder(env));
  return part === '' ? root : own(join(root, part));
}

function rootFolder(env: NodeJS.ProcessEnv): string {
  if (env.PERMAFROST_CACHE) return resolve(env.PERMAFROST_CACHE);
  const caches =
    process.platform === 'win32'
      ? env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return resolve(caches, 'permafrost');
}
