import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../../core/errors.ts';
import type { EngineInstallation, InstallationStatus } from '../installation.ts';
import { stageFolder } from '../staged-folder.ts';
import { fetchWheel } from './fetch-wheel.ts';
import { addedOpenVinoFolder, locateOpenVino } from './locate.ts';
import { requireOpenVino } from './require-openvino.ts';
import { PINNED_VERSION, versionOfBuild } from './versions.ts';
import { isNeeded, WHEELS } from './wheels.ts';

async function status(): Promise<InstallationStatus> {
  const [place] = locateOpenVino();
  const where = { path: place?.folder ?? null, origin: place?.origin ?? null };
  try {
    const openVino = await requireOpenVino();
    return { installed: true, version: versionOfBuild(openVino.build), ...where, problem: null };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { installed: false, version: null, ...where, problem: error.message };
  }
}

/** Moves the libraries that the CPU path needs, and the licences, to `folder`. */
async function pickLibraries(unpacked: string, folder: string): Promise<void> {
  const libraries = join(unpacked, 'openvino', 'libs');
  for (const name of await readdir(libraries)) {
    if (isNeeded(name)) await rename(join(libraries, name), join(folder, name));
  }
  const licences = join(unpacked, `openvino-${PINNED_VERSION}.dist-info`, 'licenses');
  if (existsSync(licences)) await rename(licences, join(folder, 'licenses'));
}

const add: EngineInstallation['add'] = async ({ listener, signal }) => {
  const folder = addedOpenVinoFolder();
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
  await stageFolder(folder, async (staging) => {
    const scratch = join(staging, 'scratch');
    await pickLibraries(await fetchWheel(wheel, scratch, signal), staging);
    await rm(scratch, { recursive: true });
  });
  return status();
};

/** OpenVINO from its PyPI wheel. */
export const openVinoInstallation: EngineInstallation = {
  engine: 'openvino',
  describe: `Fetches the libraries of OpenVINO ${PINNED_VERSION} (Apache-2.0) from PyPI with pip: 59 MB, 93 MB unpacked.`,
  status,
  add,
  remove: () => rm(addedOpenVinoFolder(), { recursive: true, force: true }),
};
