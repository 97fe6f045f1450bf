import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';
import { reasonOf } from '../../../core/errors.ts';

/** The npm packages that can run the network, by the name of the option `package`, in the order of `auto`. */
export const TFJS_PACKAGES = {
  'node-gpu': '@tensorflow/tfjs-node-gpu',
  node: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm',
} as const;
export type TfjsPackage = keyof typeof TFJS_PACKAGES;
export const TFJS_ORDER = Object.freeze(Object.keys(TFJS_PACKAGES)) as readonly TfjsPackage[];

/** The version that permafrost is tried with and that `permafrost engines add tfjs` brings. */
export const TFJS_VERSION = '4.22.0';

/** A package on this machine. */
export interface FoundPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** The folder of the package that exports the API of tfjs: for wasm that of @tensorflow/tfjs. */
  readonly api: string;
  /** `found` beside permafrost, as a peer that the user installed, or `added` by `permafrost engines add tfjs`. */
  readonly origin: 'found' | 'added';
  /** The native library, for packages that have one. */
  readonly binding: string | null;
  /** Why it cannot be loaded, where that is plain without loading it. */
  readonly problem: string | null;
}

/** Where packages are looked for: a file (path or URL) in whose folder and above Node looks for node_modules. */
export interface SearchRoot {
  readonly origin: FoundPackage['origin'];
  readonly file: string;
}

/** The folder that `permafrost engines add tfjs` fills and `remove` takes away. */
export function addedTfjsFolder(): string {
  return cacheFolder(`tfjs-${TFJS_VERSION}`);
}

/**
 * First what the user installed next to permafrost, then what permafrost added. Never the current folder: a program
 * that is run somewhere must not load native code from there.
 */
export function searchRoots(): readonly SearchRoot[] {
  return [
    { origin: 'found', file: import.meta.url },
    { origin: 'added', file: join(addedTfjsFolder(), 'package.json') },
  ];
}

/** Path of a package's package.json seen from `root`, links resolved (pnpm), or null where it is not installed. */
function manifestPath(name: string, root: SearchRoot): string | null {
  for (const folder of createRequire(root.file).resolve.paths(name) ?? []) {
    const path = join(folder, name, 'package.json');
    if (existsSync(path)) return realpathSync(path);
  }
  return null;
}

/** Where a native package expects its library, by its own rule (node-pre-gyp). */
function bindingPath(manifest: string): string {
  const nodePreGyp = createRequire(manifest)('@mapbox/node-pre-gyp') as { find(manifest: string): string };
  return nodePreGyp.find(manifest);
}

function inspect(key: TfjsPackage, manifest: string, root: SearchRoot): FoundPackage {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const folder = dirname(manifest);
  const found = { name: TFJS_PACKAGES[key], version, folder, origin: root.origin };
  if (key === 'wasm') {
    const whole = manifestPath('@tensorflow/tfjs', root);
    const problem = whole === null ? '@tensorflow/tfjs is not installed beside it' : null;
    return { ...found, api: dirname(whole ?? manifest), binding: null, problem };
  }
  try {
    const binding = bindingPath(manifest);
    const problem = existsSync(binding) ? null : 'its native library was not built when it was installed';
    return { ...found, api: folder, binding, problem };
  } catch (error) {
    return { ...found, api: folder, binding: null, problem: `it is not installed whole: ${reasonOf(error)}` };
  }
}

/** The first installation of a package that can be loaded, else the first, else null. Loads nothing native. */
export function findPackage(key: TfjsPackage, roots: readonly SearchRoot[] = searchRoots()): FoundPackage | null {
  let broken: FoundPackage | null = null;
  for (const root of roots) {
    const manifest = manifestPath(TFJS_PACKAGES[key], root);
    if (manifest === null) continue;
    const found = inspect(key, manifest, root);
    if (found.problem === null) return found;
    broken ??= found;
  }
  return broken;
}
