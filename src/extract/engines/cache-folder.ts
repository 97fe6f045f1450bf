import { homedir } from 'node:os';
import { join } from 'node:path';

/** What decides where caches lie; default: this process. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

const here = (): Surroundings => ({ platform: process.platform, env: process.env, home: homedir() });

/**
 * The user's cache folder of permafrost, absolute: `$XDG_CACHE_HOME/permafrost` or `~/.cache/permafrost`, `~/Library/Caches/permafrost`
 * on macOS, `%LOCALAPPDATA%\permafrost\Cache` on Windows. All in it can be made again; it may not exist yet.
 */
export function cacheFolder({ platform, env, home }: Surroundings = here()): string {
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'permafrost', 'Cache');
  }
  // The XDG specification says that a relative path is to be ignored.
  const xdg = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : undefined;
  const caches = xdg ?? (platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache'));
  return join(caches, 'permafrost');
}

/** The folder of one release of an engine that `permafrost engines add` installed, absolute. */
export function installedEngineFolder(engine: string, version: string, root = cacheFolder()): string {
  return join(root, 'engines', `${engine}-${version}`);
}
