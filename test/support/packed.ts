import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a project's own npm would be given: not what the npm that runs these tests hands on. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([key]) => !/^npm_(?!config_(cache|registry|userconfig|globalconfig)$)/i.test(key),
  ),
);

/** A command's stdout, with its stderr in the error where it fails. */
export async function output(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run(file, args, { cwd, env: environment, maxBuffer: 2 ** 26, shell: false });
  return stdout;
}

/** The package as `npm pack` makes it. */
export interface Packed {
  readonly tarball: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly size: number;
  readonly unpackedSize: number;
}

export async function pack(to: string): Promise<Packed> {
  const text = await output('npm', ['pack', '--json', '--pack-destination', to], root);
  const [made] = JSON.parse(text.slice(text.indexOf('['))) as (Omit<Packed, 'tarball'> & { filename: string })[];
  return { ...made!, tarball: join(to, made!.filename) };
}

/** An empty project in `folder` with the package installed by `npm`, which may be another version of it. */
export async function install(
  folder: string,
  tarball: string,
  [file, ...args]: readonly [string, ...string[]],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await output(file, [...args, 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball], folder);
}

/** The paths of all files below a folder, sorted. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
