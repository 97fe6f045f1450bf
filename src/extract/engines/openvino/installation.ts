import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { EngineInstallation, InstallationStatus } from '../installation.ts';
import { fetchWheel } from './fetch-wheel.ts';
import { addedFolder, locateOpenVino } from './locate.ts';
import { requireOpenVino } from './require-openvino.ts';
import { PINNED_VERSION, versionOfBuild } from './versions.ts';
import { isNeeded, WHEELS } from './wheels.ts';

/** Leftovers of an `add` that was killed are removed by one that comes an hour later. */
const STALE_MS = 3_600_000;
const UNFINISHED = '.unfinished-';

async function status(): Promise<InstallationStatus> {
  const [place] = locateOpenVino();
  const where = { path: place?.folder ?? null, origin: place?.origin ?? null };
  try {
    const { openVino } = await requireOpenVino();
    return { installed: true, version: versionOfBuild(openVino.build), ...where, problem: null };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { installed: false, version: null, ...where, problem: error.message };
  }
}

async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    const path = join(dirname(folder), name);
    if (!name.startsWith(`${basename(folder)}${UNFINISHED}`)) continue;
    if ((await stat(path)).mtimeMs < Date.now() - STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

/** The libraries that the CPU path needs, and the licences, in a folder of their own. */
async function pickLibraries(unpacked: string, complete: string): Promise<void> {
  await mkdir(complete);
  const libraries = join(unpacked, 'openvino', 'libs');
  for (const name of await readdir(libraries)) {
    if (isNeeded(name)) await rename(join(libraries, name), join(complete, name));
  }
  const licences = join(unpacked, `openvino-${PINNED_VERSION}.dist-info`, 'licenses');
  if (existsSync(licences)) await cp(licences, join(complete, 'licenses'), { recursive: true });
}

/** Renames what is complete to its place, at once; another process may have been faster. */
async function place(complete: string, folder: string): Promise<void> {
  try {
    await rename(complete, folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    if (!existsSync(folder)) throw error;
  }
}

const add: EngineInstallation['add'] = async ({ listener, signal }) => {
  const folder = addedFolder();
  if (existsSync(folder)) return status();
  const system = `${process.platform}-${process.arch}`;
  const wheel = WHEELS[system];
  if (wheel === undefined) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `There is no OpenVINO ${PINNED_VERSION} on PyPI for ${system}, only for ${Object.keys(WHEELS).join(', ')}. Set OPENVINO_LIB_DIR where you have one, or use --engine onnxruntime.`,
    );
  }
  listener?.note?.(`${openVinoInstallation.describe} Into ${folder}.`);
  let unfinished: string | undefined;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await removeStale(folder);
    unfinished = await mkdtemp(`${folder}${UNFINISHED}`);
    const unpacked = await fetchWheel(wheel, unfinished, signal);
    const complete = join(unfinished, 'complete');
    await pickLibraries(unpacked, complete);
    await place(complete, folder);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `${folder} could not be written: ${reasonOf(cause)}. 300 MB must be free there for a moment; XDG_CACHE_HOME names another place.`,
      { cause },
    );
  } finally {
    if (unfinished !== undefined) await rm(unfinished, { recursive: true, force: true });
  }
  return status();
};

/** OpenVINO from its PyPI wheel. */
export const openVinoInstallation: EngineInstallation = {
  engine: 'openvino',
  describe: `Fetches the libraries of OpenVINO ${PINNED_VERSION} (Apache-2.0) from PyPI with pip: 59 MB, 93 MB unpacked.`,
  status,
  add,
  remove: () => rm(addedFolder(), { recursive: true, force: true }),
};
