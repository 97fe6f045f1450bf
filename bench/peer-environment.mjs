// @ts-check
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VENV = fileURLToPath(new URL('.venv', import.meta.url));

/**
 * The Python of the peers' own virtual environment (bench/.venv, ignored by git), with bench/NAME/requirements.txt
 * installed on first use.
 * @param {string} name folder of the bench
 * @param {string} contents what is installed, and how much of it, for the message
 * @returns {string} path of the interpreter
 */
export function peerPython(name, contents) {
  const requirements = fileURLToPath(new URL(`${name}/requirements.txt`, import.meta.url));
  const windows = process.platform === 'win32';
  const python = join(VENV, windows ? 'Scripts/python.exe' : 'bin/python');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  // Written last: an installation that broke off has no stamp and is done again.
  const stamp = join(VENV, `${name}-${digest.slice(0, 16)}.installed`);
  if (existsSync(stamp)) return python;
  console.error(`Installing the peer (${contents}) into ${VENV}, once.`);
  const run = (/** @type {string} */ program, /** @type {string[]} */ ...args) =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(python)) run(windows ? 'python' : 'python3', '-m', 'venv', VENV);
  run(python, '-m', 'pip', 'install', '--quiet', '-r', requirements);
  writeFileSync(stamp, '');
  return python;
}
