import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';
import { PINNED_VERSION } from './versions.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** An OpenVINO on this machine; whether it loads is another question. */
export interface OpenVinoPlace {
  /** Folder of the shared libraries. */
  readonly folder: string;
  /** The C API's library in it. */
  readonly library: string;
  /** `added` by permafrost into its cache, or `found`. */
  readonly origin: 'added' | 'found';
  /** How it was found, in words. */
  readonly how: string;
}

/** Where `permafrost engines add openvino` puts the libraries. */
export function addedOpenVinoFolder(env: Environment = process.env): string {
  return cacheFolder(`openvino-${PINNED_VERSION}-${process.platform}-${process.arch}`, env);
}

// libopenvino_c.so.2640 in the wheel, libopenvino_c.so in other packages, libopenvino_c.2640.dylib, openvino_c.dll.
const C_LIBRARY = /^(?:libopenvino_c\.so(?:\.\d+)*|libopenvino_c(?:\.\d+)*\.dylib|openvino_c\.dll)$/;

/** Names in a folder; none where it is not there or no folder. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).map(({ name }) => name) : [];
}

function cLibraryIn(folder: string): string | undefined {
  const name = namesIn(folder)
    .filter((candidate) => C_LIBRARY.test(candidate))
    .sort()
    .at(-1);
  return name === undefined ? undefined : join(folder, name);
}

/** The folders in which the Pythons of this environment keep packages. No Python is run. */
function sitePackages(env: Environment): string[] {
  const path = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const pythons = path
    .flatMap((folder) => ['python3', 'python', 'python.exe'].map((name) => join(folder, name)))
    .filter((file) => existsSync(file))
    // Both what the PATH names (a virtual environment links its Python) and what that leads to.
    .flatMap((file) => [dirname(dirname(file)), dirname(dirname(realpathSync(file)))]);
  const prefixes = [env['VIRTUAL_ENV'], env['CONDA_PREFIX'], join(homedir(), '.local'), ...pythons];
  return [...new Set(prefixes)].flatMap((prefix) => {
    if (!prefix) return [];
    const versions = namesIn(join(prefix, 'lib')).filter((name) => /^python3/.test(name));
    return [
      ...versions.flatMap((name) => ['site-packages', 'dist-packages'].map((kind) => join(prefix, 'lib', name, kind))),
      join(prefix, 'Lib', 'site-packages'),
    ];
  });
}

/** The folder of the runtime that the npm package openvino-node downloads at its own install. */
function openVinoNodeFolders(): string[] {
  const folders = createRequire(import.meta.url).resolve.paths('openvino-node') ?? [];
  return folders.map((folder) => join(folder, 'openvino-node', 'bin'));
}

/**
 * The OpenVINOs of this machine, the one to use first: OPENVINO_LIB_DIR alone where that is set, then what permafrost
 * added, a pip install of this environment's Pythons, openvino-node's folder. Reads folders, runs nothing.
 */
export function locateOpenVino(env: Environment = process.env): OpenVinoPlace[] {
  const named = env['OPENVINO_LIB_DIR'];
  const found = (folder: string, how: string) => ({ folder, origin: 'found' as const, how });
  const candidates: Omit<OpenVinoPlace, 'library'>[] = named
    ? [found(named, 'OPENVINO_LIB_DIR')]
    : [
        { folder: addedOpenVinoFolder(env), origin: 'added', how: 'permafrost engines add' },
        ...sitePackages(env).map((folder) => found(join(folder, 'openvino', 'libs'), 'a pip install')),
        ...openVinoNodeFolders().map((folder) => found(folder, 'openvino-node')),
      ];
  return candidates.flatMap((candidate) => {
    const library = cLibraryIn(candidate.folder);
    return library === undefined ? [] : [{ ...candidate, library }];
  });
}
