import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { ProgramError, runProgram } from '../run-program.ts';
import { PINNED_VERSION } from './versions.ts';
import { WHEEL_PYTHON, type Wheel } from './wheels.ts';

const INSTEAD =
  'Or install OpenVINO in another way ("pip install openvino" where that works), or set OPENVINO_LIB_DIR to the folder of its libraries.';

function unavailable(message: string): PermafrostError {
  return new PermafrostError('ENGINE_UNAVAILABLE', `${message} ${INSTEAD}`);
}

/** Runs a module of the PATH's own Python, such as pip; never code of permafrost's. */
async function python(args: readonly string[], signal: AbortSignal | undefined, task: string): Promise<void> {
  for (const command of ['python3', 'python']) {
    try {
      await runProgram(command, args, { signal });
      return;
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      if (error.missing) continue;
      if (error.message.includes('No module named pip')) {
        throw unavailable(
          'OpenVINO is fetched with pip, which this Python lacks. Install it (Debian: "apt install python3-pip") and repeat.',
        );
      }
      const said = /^ERROR: .*$/m.exec(error.message)?.[0] ?? reasonOf(error);
      throw unavailable(
        `${task} failed: ${said} Is a Python package registry within reach (network, proxy, pip's settings)?`,
      );
    }
  }
  throw unavailable(
    'OpenVINO is fetched with pip, and there is no python3 on the PATH. Install Python 3 with pip (Debian: "apt install python3-pip") and repeat.',
  );
}

/**
 * Fetches the wheel with pip, checks its SHA-256, and unpacks it below `folder`. pip knows the user's proxy,
 * certificates and registry; Python unpacks, so no zip library is needed. Throws ENGINE_UNAVAILABLE or INTERRUPTED.
 */
export async function fetchWheel(wheel: Wheel, folder: string, signal?: AbortSignal): Promise<string> {
  const download = join(folder, 'download');
  const { version, implementation, abi } = WHEEL_PYTHON;
  const pip = '-m pip download --no-deps --only-binary=:all: --no-input --quiet';
  const target = `--platform ${wheel.platform} --python-version ${version} --implementation ${implementation} --abi ${abi}`;
  const requirement = `openvino==${PINNED_VERSION}`;
  const args = [...`${pip} ${target}`.split(' '), '--dest', download, requirement];
  await python(args, signal, `"pip download ${requirement}"`);
  const [name] = await readdir(download);
  const file = join(download, name!);
  const found = sha256Hex(await readFile(file));
  if (found !== wheel.sha256) {
    throw unavailable(
      `pip brought ${name} with SHA-256 ${found}, expected ${wheel.sha256}: it is not the file that permafrost knows, and nothing was installed. Ask who runs your package registry.`,
    );
  }
  const unpacked = join(folder, 'unpacked');
  await python(['-m', 'zipfile', '-e', file, unpacked], signal, `Unpacking ${name}`);
  return unpacked;
}
