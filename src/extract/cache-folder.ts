import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Permafrost's folder in the user's cache, for what can be fetched or computed again: `permafrost` below XDG_CACHE_HOME where that is an
 * absolute path (XDG Base Directory Specification 0.8), otherwise where the system keeps caches. It may not exist yet.
 */
export function cacheFolder(
  env: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: local = '' } = env;
  if (isAbsolute(xdg)) return join(xdg, 'permafrost');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'permafrost');
  if (platform === 'win32') return join(local || join(homedir(), 'AppData', 'Local'), 'permafrost', 'cache');
  return join(homedir(), '.cache', 'permafrost');
}
