import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermafrostError } from '../../../core/errors.ts';
import { cacheFolder, installedEngineFolder } from '../cache-folder.ts';
import { pipOpenVino } from './python.ts';
import { PINNED_VERSION } from './versions.ts';

export const ADD_OPENVINO = 'npx permafrost engines add openvino';

/** How an OpenVINO was found, in the order in which they are looked for. */
export const PLACES = ['OPENVINO_LIB_DIR', 'permafrost', 'openvino-node', 'pip'] as const;
export type Place = (typeof PLACES)[number];

/** An OpenVINO on this machine; whether it works is known when it is loaded. */
export interface FoundOpenVino {
  readonly place: Place;
  /** The folder of its libraries, absolute. */
  readonly folder: string;
  /** Its C library, absolute. */
  readonly library: string;
}

export interface LocateOptions {
  /** Whether to ask python3 for a pip installation, which takes a tenth of a second; default false. */
  readonly askPython?: boolean;
  /** The cache folder of permafrost; default: the user's. */
  readonly cache?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const C_LIBRARY = /^(?:libopenvino_c\.so(?:\.\d+)*|libopenvino_c(?:\.\d+)*\.dylib|openvino_c\.dll)$/;

/** The C library in a folder, or undefined. Of several names for one release the longest says most. */
async function libraryIn(folder: string): Promise<string | undefined> {
  if (!existsSync(folder)) return undefined;
  const names = (await readdir(folder)).filter((name) => C_LIBRARY.test(name));
  names.sort((a, b) => b.length - a.length);
  return names[0] === undefined ? undefined : join(folder, names[0]);
}

/** The folder into which the npm package openvino-node puts its runtime, where that package is installed beside permafrost. */
function openVinoNodeFolder(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('openvino-node/package.json')), 'bin');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined;
    throw error;
  }
}

async function folderOf(place: Place, options: LocateOptions): Promise<string | undefined> {
  switch (place) {
    case 'OPENVINO_LIB_DIR':
      return (options.env ?? process.env).OPENVINO_LIB_DIR || undefined;
    case 'permafrost':
      return join(
        installedEngineFolder('openvino', PINNED_VERSION, options.cache ?? cacheFolder()),
        'libs',
      );
    case 'openvino-node':
      return openVinoNodeFolder();
    case 'pip':
      return options.askPython === true ? pipOpenVino() : undefined;
  }
}

/**
 * Every OpenVINO on this machine, in the order in which they would be taken. Throws ENGINE_UNAVAILABLE where OPENVINO_LIB_DIR names a
 * folder without OpenVINO's C library: what the user chose is not passed over.
 */
export async function locateAll(options: LocateOptions = {}): Promise<readonly FoundOpenVino[]> {
  const found: FoundOpenVino[] = [];
  for (const place of PLACES) {
    const folder = await folderOf(place, options);
    if (folder === undefined) continue;
    const library = await libraryIn(folder);
    if (library !== undefined) found.push({ place, folder, library });
    else if (place === 'OPENVINO_LIB_DIR') {
      throw new PermafrostError(
        'ENGINE_UNAVAILABLE',
        `OPENVINO_LIB_DIR is ${folder}, which holds no C library of OpenVINO (libopenvino_c.so.*, libopenvino_c.*.dylib or openvino_c.dll). Name the folder that does, or unset it and run "${ADD_OPENVINO}".`,
      );
    }
  }
  return found;
}

/** The OpenVINO that permafrost would use, or undefined; python3 is asked last, and only with `askPython`. Throws as locateAll. */
export async function locateOpenVino(options: LocateOptions = {}): Promise<FoundOpenVino | undefined> {
  const [withoutPython] = await locateAll({ ...options, askPython: false });
  if (withoutPython !== undefined || options.askPython !== true) return withoutPython;
  return (await locateAll(options))[0];
}

/** As locateOpenVino; throws ENGINE_UNAVAILABLE where there is none, saying how to get it. */
export async function requireOpenVino(options: LocateOptions = {}): Promise<FoundOpenVino> {
  const found = await locateOpenVino(options);
  if (found !== undefined) return found;
  const asked = options.askPython === true ? ', nor as a pip package of python3' : '';
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `OpenVINO is not installed: not in OPENVINO_LIB_DIR, not in ${cacheFolder()}, not as openvino-node${asked}. Run "${ADD_OPENVINO}".`,
  );
}
