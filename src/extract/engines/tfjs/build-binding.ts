import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { factsOfFile } from '../../../core/files/file-facts.ts';
import { runProgram, type ProgramOptions } from '../run-program.ts';

/** TensorFlow's C library in a form that a package registry has: the newest release that tfjs 4.22 compiles against. */
const WHEEL = {
  requirement: 'tensorflow-cpu==2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  /** What is taken out of it: libraries, headers, licences. */
  members: [
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.so.2',
    'tensorflow/include/tensorflow/',
    'tensorflow/include/tsl/',
    'tensorflow/include/xla/',
    'tensorflow/THIRD_PARTY_NOTICES.txt',
    'tensorflow_cpu-2.15.1.dist-info/LICENSE',
  ],
} as const;

const UNPACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = tuple(sys.argv[3:])
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
`;

/** What the build calls, and what Debian and its like name the packages of it. */
const TOOLS = [
  { command: 'python3', args: ['-m', 'pip', '--version'], needs: 'python3 with pip', debian: 'python3-pip' },
  { command: 'make', args: ['--version'], needs: 'make', debian: 'make' },
  { command: process.env.CXX ?? 'g++', args: ['--version'], needs: 'a C++ compiler (g++)', debian: 'g++' },
] as const;

/** Why the binding cannot be built on this machine, or null. `env` has the PATH to look in. */
export async function buildObstacle(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `a build is known for Linux on x64 alone, this is ${process.platform} on ${process.arch}`;
  }
  const missing: (typeof TOOLS)[number][] = [];
  for (const tool of TOOLS) {
    await runProgram(tool.command, tool.args, { env }).catch(() => missing.push(tool));
  }
  if (missing.length === 0) return null;
  const packages = missing.map(({ debian }) => debian).join(' ');
  return `a build needs ${missing.map(({ needs }) => needs).join(', ')} (Debian: "apt install ${packages}")`;
}

/** Throws ENGINE_UNAVAILABLE where a file's SHA-256 is not the expected one. */
export async function checkSha256(path: string, expected: string): Promise<void> {
  const { sha256: found } = await factsOfFile(path);
  if (found === expected) return;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `${path} has SHA-256 ${found}, expected ${expected}: it was damaged or replaced on its way. Nothing of it was used; try again, or from another network.`,
  );
}

/** Downloads the wheel into `folder` and unpacks what is needed. */
async function fetchTensorflow(folder: string, options: ProgramOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const target = '--python-version 3.11 --implementation cp --abi cp311 --platform manylinux2014_x86_64';
  const pip = '-m pip download --quiet --no-input --disable-pip-version-check --no-deps --only-binary=:all:';
  await runProgram('python3', [...pip.split(' '), ...target.split(' '), '--dest', folder, WHEEL.requirement], options);
  const wheel = join(
    folder,
    (await readdir(folder)).find((name) => name.endsWith('.whl'))!,
  );
  await checkSha256(wheel, WHEEL.sha256);
  await runProgram('python3', ['-c', UNPACK, wheel, folder, ...WHEEL.members], options);
}

/** Puts libraries and headers where binding.gyp looks for them; their folder is in the binding's rpath. */
async function arrange(from: string, deps: string): Promise<void> {
  const lib = join(deps, 'lib');
  await mkdir(lib, { recursive: true });
  await rename(join(from, 'tensorflow', 'include'), join(deps, 'include'));
  for (const [name, link] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ] as const) {
    await rename(join(from, 'tensorflow', name), join(lib, name));
    await symlink(name, join(lib, link));
  }
  await rename(join(from, 'tensorflow', 'THIRD_PARTY_NOTICES.txt'), join(deps, 'THIRD_PARTY_NOTICES.txt'));
  await rename(join(from, 'tensorflow_cpu-2.15.1.dist-info', 'LICENSE'), join(deps, 'LICENSE'));
}

/** The folder with this Node's own headers, where it has them: node-gyp would download them otherwise. */
function nodeHeaders(): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
}

/**
 * Compiles the binding of the tfjs-node in `folder` from its own source against TensorFlow's C library (CPU only).
 * Throws ENGINE_UNAVAILABLE with what failed, INTERRUPTED.
 */
export async function buildBinding(folder: string, signal?: AbortSignal): Promise<void> {
  const deps = join(folder, 'deps');
  const unpacked = join(folder, 'wheel');
  try {
    await rm(deps, { recursive: true, force: true });
    await fetchTensorflow(unpacked, { signal });
    await arrange(unpacked, deps);
    await runProgram('npm', ['run', 'build-addon-from-source'], {
      cwd: folder,
      env: { ...process.env, ...nodeHeaders() },
      signal,
    });
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `The native library of tfjs could not be built from source: ${reasonOf(cause)}`,
      { cause },
    );
  } finally {
    for (const name of ['wheel', 'build', join('deps', 'include')]) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
