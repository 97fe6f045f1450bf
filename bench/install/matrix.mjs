// @ts-check
// Does the packed package install, and do its native parts load, with every package manager?
//   npm pack && node bench/install/matrix.mjs permafrost-0.1.0.tgz [--only npm10] [--keep]
// Each line is an installation of its own in an empty folder: a fresh project, a workspace, a global prefix; with and
// without install scripts, without a C++ compiler, without optional packages. The managers come by npx from the
// registry; one package cache serves all. Printed: whether NuGet's host can be reached from here (where it cannot, a
// package that asks it fails), seconds, size of what was installed, the version that the command prints, the number of
// exports of the library, and which native packages load.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, keep: { type: 'boolean', default: false } },
});
const tarball = resolve(positionals[0] ?? 'permafrost-0.1.0.tgz');
statSync(tarball);
const root = mkdtempSync(join(tmpdir(), 'permafrost-install-'));

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} manager as npx names it
 * @property {string[]} args what installs
 * @property {'workspace' | 'global'} [place] default: an empty project
 * @property {Record<string, string>} [env]
 */
const NO_COMPILER = { CC: 'no-c-compiler', CXX: 'no-c++-compiler' };
/** @type {Case[]} */
const CASES = [
  ...['npm@10', 'npm@11'].flatMap((manager) => [
    { name: `${manager} install`, manager, args: ['install', tarball] },
    { name: `${manager} install --ignore-scripts`, manager, args: ['install', '--ignore-scripts', tarball] },
    { name: `${manager} install in a workspace`, manager, args: ['install', '-w', 'app', tarball], place: 'workspace' },
    {
      name: `${manager} install --global`,
      manager,
      args: ['install', '--global', '--prefix', '.', tarball],
      place: 'global',
    },
    { name: `${manager} install, no compiler`, manager, args: ['install', tarball], env: NO_COMPILER },
  ]),
  ...['pnpm@9', 'pnpm@10'].flatMap((manager) => [
    { name: `${manager} add`, manager, args: ['add', tarball] },
    { name: `${manager} add --ignore-scripts`, manager, args: ['add', '--ignore-scripts', tarball] },
  ]),
  { name: 'yarn@1 add', manager: 'yarn@1', args: ['add', tarball] },
];

/** @param {string} folder @returns {number} bytes of a folder, links not followed */
const bytesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

/** @param {Case} one @param {string} folder where the package is found by Node, and its command */
function prepare({ place }, folder) {
  mkdirSync(folder, { recursive: true });
  if (place === 'global') return { from: join(folder, 'lib'), command: join(folder, 'bin/permafrost') };
  if (place !== 'workspace') {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    return { from: folder, command: join(folder, 'node_modules/.bin/permafrost') };
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "workspaces": ["packages/*"] }');
  mkdirSync(join(folder, 'packages/app'), { recursive: true });
  writeFileSync(join(folder, 'packages/app/package.json'), '{ "name": "app", "version": "1.0.0" }');
  return { from: join(folder, 'packages/app'), command: join(folder, 'node_modules/.bin/permafrost') };
}

const EXPORTS = "import('permafrost').then((library) => console.log(Object.keys(library).length))";

/** @param {Case} one @param {number} i */
function tryCase(one, i) {
  const folder = join(root, String(i));
  const { from, command } = prepare(one, folder);
  const env = { ...process.env, ...one.env, npm_config_cache: join(root, 'cache'), npm_config_yes: 'true' };
  const start = performance.now();
  const installed = spawnSync('npx', ['-y', one.manager, ...one.args], { cwd: folder, env, encoding: 'utf8' });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  if (installed.status !== 0) return `FAILED after ${seconds} s: ${(installed.stderr || installed.stdout).slice(-400)}`;
  /** @param {string} file @param {string[]} args */
  const run = (file, ...args) => execFileSync(file, args, { cwd: from, encoding: 'utf8' }).trim();
  const version = run(command, '--version');
  const { packages } = JSON.parse(run(command, 'doctor', '--json'));
  const works = packages.map(
    (/** @type {{ name: string, works: boolean }} */ { name, works: ok }) => `${name} ${ok ? 'yes' : 'no'}`,
  );
  const exported = one.place === 'global' ? '-' : run(process.execPath, '-e', EXPORTS);
  const size = `${Math.round(bytesOf(folder) / 1e6)} MB`;
  return `${seconds} s, ${size}, version ${version}, ${exported} exports; ${works.join(', ')}`;
}

const nuget = await fetch('https://api.nuget.org/v3/index.json').then(
  ({ status }) => `answers ${status}`,
  (/** @type {Error} */ error) => `cannot be reached (${String(error.cause ?? error)})`,
);
console.log(`Node ${process.version}, ${process.platform} ${process.arch}; api.nuget.org ${nuget}; ${tarball}`);
for (const [i, one] of CASES.entries()) {
  if (!one.name.replace('@', '').startsWith(values.only.replace('@', ''))) continue;
  console.log(`${one.name}: ${tryCase(one, i)}`);
  if (!values.keep) rmSync(join(root, String(i)), { recursive: true, force: true });
}
if (!values.keep) rmSync(root, { recursive: true, force: true });
