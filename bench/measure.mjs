// @ts-check
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MEASURE = fileURLToPath(new URL('measure.py', import.meta.url));

/**
 * @typedef {object} Usage what a process took, from start to exit, seen from outside
 * @property {number} wallSeconds
 * @property {number} cpuSeconds
 * @property {number} peakRssMiB
 */

/**
 * Runs a command in a process of its own. Throws where it does not end with 0.
 * @param {string} python any Python 3
 * @param {readonly string[]} command
 * @returns {{ usage: Usage, stdout: string, stderr: string }}
 */
export function measure(python, command) {
  const timed = spawnSync(python, [MEASURE, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  if (timed.status !== 0) throw new Error(`measure.py failed: ${timed.stderr}`);
  const { exitCode, stdout, ...usage } = /** @type {Usage & { exitCode: number, stdout: string }} */ (
    JSON.parse(timed.stdout)
  );
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${timed.stderr}${stdout}`);
  return { usage, stdout, stderr: timed.stderr };
}

/**
 * The last line that a program wrote, which is JSON.
 * @template T
 * @param {string} stdout
 * @returns {T}
 */
export function lastLine(stdout) {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
