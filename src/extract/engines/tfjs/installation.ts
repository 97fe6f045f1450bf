import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { EngineInstallation, InstallationStatus } from '../installation.ts';
import { runProgram } from '../run-program.ts';
import { buildBinding, buildObstacle } from './build-binding.ts';
import {
  addedFolder,
  findPackage,
  TFJS_ORDER,
  TFJS_PACKAGES,
  TFJS_VERSION,
  type FoundPackage,
} from './packages.ts';

type Work = Parameters<EngineInstallation['add']>[0];

/** What is installed, as npm's own files: each package of the tree by version and SHA-512. */
const PACKAGES = new URL('../../../../data/engine-tfjs/', import.meta.url);

/** TensorFlow's version from the native library itself, loaded in a process of its own. Rejects where it does not load. */
async function tensorflowVersion(binding: string, signal?: AbortSignal): Promise<string> {
  const printed = await runProgram(process.execPath, ['-p', 'require(process.argv[1]).TF_Version', binding], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    signal,
  });
  return printed.trim();
}

/** What is true of a package that was found: it is only installed when its native library loads. */
async function statusOf(found: FoundPackage): Promise<InstallationStatus> {
  const { name, version, folder, origin, binding } = found;
  const facts = { version: `${version} (${name})`, path: folder, origin };
  if (found.problem !== null) return { ...facts, installed: false, problem: `${name}: ${found.problem}` };
  if (binding === null) return { ...facts, installed: true, problem: null };
  try {
    const tensorflow = await tensorflowVersion(binding);
    return {
      ...facts,
      installed: true,
      version: `${version} (${name}, TensorFlow ${tensorflow})`,
      problem: null,
    };
  } catch (error) {
    return { ...facts, installed: false, problem: `${name} does not load: ${reasonOf(error)}` };
  }
}

/** As the engine's `auto` would choose: the first package that works, else the first that is there and does not. */
async function status(): Promise<InstallationStatus> {
  let broken: InstallationStatus | undefined;
  for (const key of TFJS_ORDER) {
    const found = findPackage(key);
    if (found === null) continue;
    const its = await statusOf(found);
    if (its.installed) return its;
    broken ??= its;
  }
  return broken ?? { installed: false, version: null, path: null, origin: null, problem: null };
}

/** npm in `folder` alone, whatever project or npm started this process. */
async function npm(folder: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const here = ['--prefix', folder, '--global=false', '--no-audit', '--no-fund', '--loglevel=error'];
  await runProgram('npm', [...args, ...here], { cwd: folder, signal });
}

/** The pinned packages, each checked against its SHA-512 by npm, before any of their scripts runs. */
async function fetchPackages(folder: string, signal?: AbortSignal): Promise<FoundPackage> {
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(new URL(name, PACKAGES), join(folder, name));
  }
  try {
    await npm(folder, ['ci', '--ignore-scripts'], signal);
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `npm could not fetch ${TFJS_PACKAGES['node-gpu']} ${TFJS_VERSION}: ${reasonOf(cause)}. It needs npm and its registry.`,
      { cause },
    );
  }
  return fetched(folder);
}

/** The package in a folder that npm has filled, as it is now. */
function fetched(folder: string): FoundPackage {
  return findPackage('node-gpu', [{ origin: 'added', file: join(folder, 'package.json') }])!;
}

/** The native library: by the package's own install script, which downloads it; where that fails, built. */
async function bringLibrary(
  folder: string,
  packageFolder: string,
  { listener, signal }: Work,
): Promise<void> {
  listener?.note?.(`Running the install script of ${TFJS_PACKAGES['node-gpu']}, which downloads TensorFlow.`);
  try {
    await npm(folder, ['rebuild', TFJS_PACKAGES['node-gpu']], signal);
    const { binding, problem } = fetched(folder);
    if (binding === null || problem !== null) throw new Error(`it ran, but ${problem}`);
    await tensorflowVersion(binding, signal);
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    const reason = reasonOf(cause);
    const obstacle = await buildObstacle();
    if (obstacle !== null) {
      throw new PermafrostError(
        'ENGINE_UNAVAILABLE',
        `The install script of ${TFJS_PACKAGES['node-gpu']} failed, and ${obstacle}. The engine onnxruntime needs none of this. The script said: ${reason}`,
        { cause },
      );
    }
    listener?.note?.(
      'The install script failed (its download host cannot be reached, or what it brought does not load). Building the native library against TensorFlow 2.15.1 from PyPI instead: 207 MB, CPU only.',
    );
    await buildBinding(packageFolder, signal);
  }
}

/** Installs beside the final place and moves there when the library is seen to load: a broken installation never takes its place. */
async function add(work: Work): Promise<InstallationStatus> {
  const present = findPackage('node-gpu');
  if (present !== null) {
    const its = await statusOf(present);
    if (its.installed) return its;
  }
  const target = addedFolder();
  const staging = `${target}.${process.pid}.tmp`;
  try {
    work.listener?.note?.(`Fetching ${TFJS_PACKAGES['node-gpu']} ${TFJS_VERSION} from the npm registry.`);
    const { folder } = await fetchPackages(staging, work.signal);
    await bringLibrary(staging, folder, work);
    const built = await statusOf(fetched(staging));
    if (!built.installed) {
      throw new PermafrostError('ENGINE_UNAVAILABLE', `What was installed does not work. ${built.problem}`);
    }
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return status();
}

/** `permafrost engines add tfjs`: the real @tensorflow/tfjs-node-gpu (and tfjs on WebAssembly), in a folder of the user's cache. */
export const tfjsInstallation: EngineInstallation = {
  engine: 'tfjs',
  describe: `${TFJS_PACKAGES['node-gpu']} ${TFJS_VERSION} from the npm registry (300 MB on disk) with the TensorFlow that its install script downloads, or, where that host cannot be reached, built on this machine against TensorFlow 2.15.1 for the CPU from PyPI (207 MB, 615 MB on disk).`,
  status,
  add,
  remove: () => rm(addedFolder(), { recursive: true, force: true }),
};
