import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Absolute path of the folder for what permafrost fetches or can make again; it need not exist. PERMAFROST_CACHE, else
 * `permafrost` in the system's folder for caches (XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, LOCALAPPDATA).
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.PERMAFROST_CACHE) return resolve(env.PERMAFROST_CACHE);
  const caches =
    process.platform === 'win32'
      ? env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return resolve(caches, 'permafrost');
}
