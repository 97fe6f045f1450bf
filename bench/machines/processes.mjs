// @ts-check
// Processes that run side by side, each on a core of its own, and what each of them took.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MEASURE = fileURLToPath(new URL('../measure.py', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * @typedef {object} Ended
 * @property {number} wallSeconds from start to exit
 * @property {number} cpuSeconds of it and all that it started
 * @property {number} peakRssMiB
 * @property {string} stdout
 */

/**
 * Runs permafrost pinned to a core (`taskset`), or to none. Rejects where it ends with another code than 0.
 * @param {number | null} core
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [env]
 * @returns {Promise<Ended>}
 */
export async function permafrost(core, args, env = {}) {
  const pinned = core === null ? [] : ['taskset', '--cpu-list', String(core)];
  const child = spawn('python3', [MEASURE, ...pinned, process.execPath, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
  await once(child, 'close');
  const { exitCode, ...ended } = /** @type {Ended & { exitCode: number }} */ (JSON.parse(output.stdout || '{}'));
  if (exitCode !== 0) throw new Error(`permafrost ${args.join(' ')} ended with ${exitCode}: ${output.stderr}`);
  return ended;
}
