import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { EngineInstallation, InstallationStatus } from '../installation.ts';
import { runProgram } from '../run-program.ts';
import { stageFolder } from '../staged-folder.ts';
import { buildBinding, buildObstacle } from './build-binding.ts';
import { fetchPackages, runInstallScript } from './npm.ts';
import {
  addedTfjsFolder,
  findPackage,
  TFJS_ORDER,
  TFJS_PACKAGES,
  TFJS_VERSION,
  type FoundPackage,
} from './packages.ts';

type Work = Parameters<EngineInstallation['add']>[0];
const GPU = TFJS_PACKAGES['node-gpu'];

/** A package that was found is installed only where its native library loads, tried in another process. */
async function statusOf(found: FoundPackage, signal?: AbortSignal): Promise<InstallationStatus> {
  const { name, version, folder, origin, binding } = found;
  const facts = { path: folder, origin, version: `${version} (${name})` };
  const broken = (why: string): InstallationStatus => ({
    ...facts,
    installed: false,
    problem: `${name} does not work: ${why}`,
  });
  if (found.problem !== null) return broken(found.problem);
  if (binding === null) return { ...facts, installed: true, problem: null };
  try {
    const script = 'require(process.argv[1]).TF_Version';
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
    const printed = await runProgram(process.execPath, ['-p', script, binding], { env, signal });
    const full = `${version} (${name}, TensorFlow ${printed.trim()})`;
    return { ...facts, installed: true, version: full, problem: null };
  } catch (error) {
    if (error instanceof PermafrostError) throw error;
    return broken(reasonOf(error));
  }
}

/** As the engine's `auto` chooses: the first package that works; else the first that is there and does not. */
async function status(): Promise<InstallationStatus> {
  let broken: InstallationStatus | undefined;
  for (const key of TFJS_ORDER) {
    const found = findPackage(key);
    if (found === null) continue;
    const its = await statusOf(found);
    if (its.installed) return its;
    broken ??= its;
  }
  return broken ?? { installed: false, version: null, path: null, origin: null, problem: 'not installed' };
}

/** The package in a folder that fetchPackages has filled, as it is now. */
function fetched(folder: string): FoundPackage {
  return findPackage('node-gpu', [{ origin: 'added', file: join(folder, 'package.json') }])!;
}

/** Brings the native library by the package's own install script, or says why that did not work. */
async function tryInstallScript(folder: string, signal?: AbortSignal): Promise<string | null> {
  try {
    await runInstallScript(folder, signal);
  } catch (error) {
    if (error instanceof PermafrostError) throw error;
    return reasonOf(error);
  }
  return (await statusOf(fetched(folder), signal)).problem;
}

/** The native library: downloaded by the install script; where that fails, built on this machine. */
async function bringLibrary(folder: string, { listener, signal }: Work): Promise<void> {
  listener?.note?.(`Running the install script of ${GPU}, which downloads TensorFlow.`);
  const reason = await tryInstallScript(folder, signal);
  if (reason === null) return;
  const obstacle = await buildObstacle();
  if (obstacle !== null) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `The install script of ${GPU} failed, and ${obstacle}. The engine onnxruntime needs none of this. The script said: ${reason}`,
    );
  }
  listener?.note?.(
    'The install script failed: its download host cannot be reached, or what it brought does not load. Building the native library against the TensorFlow of PyPI instead (207 MB, for the CPU alone).',
  );
  await buildBinding(fetched(folder).folder, signal);
  const { problem } = await statusOf(fetched(folder), signal);
  if (problem !== null) throw new PermafrostError('ENGINE_UNAVAILABLE', `It was built, but ${problem}`);
}

async function add(work: Work): Promise<InstallationStatus> {
  const present = findPackage('node-gpu');
  const its = present && (await statusOf(present, work.signal));
  if (its?.installed) return its;
  if (its?.origin === 'found' && present?.problem === null) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `${its.problem}. It lies in ${its.path}, which comes before what permafrost adds: remove it ("npm uninstall ${GPU}"), then repeat.`,
    );
  }
  await stageFolder(addedTfjsFolder(), async (folder) => {
    work.listener?.note?.(`Fetching ${GPU} ${TFJS_VERSION} from the npm registry.`);
    await fetchPackages(folder, work.signal);
    await bringLibrary(folder, work);
  });
  return status();
}

/** The real @tensorflow/tfjs-node-gpu, and tfjs on WebAssembly with it, in a folder of the user's cache. */
export const tfjsInstallation: EngineInstallation = {
  engine: 'tfjs',
  describe: `Fetches ${GPU} ${TFJS_VERSION} (Apache-2.0) from the npm registry, 290 MB on disk, and TensorFlow's library by the package's own install script, or, where that cannot reach its host, from PyPI (207 MB, 615 MB unpacked) with a build on this machine.`,
  status,
  add,
  remove: () => rm(addedTfjsFolder(), { recursive: true, force: true }),
};
