// @ts-check
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VENV = fileURLToPath(new URL('../.venv', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/**
 * The Python of the peer's own virtual environment (bench/.venv, ignored by git), made and filled on first use.
 * @returns {string} path of the interpreter
 */
export function peerPython() {
  const windows = process.platform === 'win32';
  const python = join(VENV, windows ? 'Scripts/python.exe' : 'bin/python');
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  // Written last: an installation that broke off has no stamp and is done again.
  const stamp = join(VENV, `extract-${digest.slice(0, 16)}.installed`);
  if (existsSync(stamp)) return python;
  console.error(`Installing the peer (Keras, TensorFlow) into ${VENV}: once, about 1.5 GB.`);
  const run = (/** @type {string} */ program, /** @type {string[]} */ ...args) =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(python)) run(windows ? 'python' : 'python3', '-m', 'venv', VENV);
  run(python, '-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS);
  writeFileSync(stamp, '');
  return python;
}
