import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { runProgram } from '../run-program.ts';
import { TFJS_PACKAGES, TFJS_VERSION } from './packages.ts';

/** What is installed, as npm's own files: each package of the tree by version and SHA-512. */
const PINNED = new URL('../../../../data/engine-tfjs/', import.meta.url);

/** npm in `folder` alone, whatever project or npm started this process. */
async function npm(folder: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const here = ['--prefix', folder, '--global=false', '--no-audit', '--no-fund', '--loglevel=error'];
  await runProgram('npm', [...args, ...here], { cwd: folder, signal });
}

/** Fetches the pinned packages, SHA-512 checked by npm, no scripts run. Throws ENGINE_UNAVAILABLE, INTERRUPTED. */
export async function fetchPackages(folder: string, signal?: AbortSignal): Promise<void> {
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(new URL(name, PINNED), join(folder, name));
  }
  try {
    await npm(folder, ['ci', '--ignore-scripts'], signal);
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `npm could not fetch ${TFJS_PACKAGES['node-gpu']} ${TFJS_VERSION}, it needs a package registry within reach: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** What an ordinary install does next: the package's own install script. Rejects as runProgram. */
export async function runInstallScript(folder: string, signal?: AbortSignal): Promise<void> {
  await npm(folder, ['rebuild', TFJS_PACKAGES['node-gpu']], signal);
}
