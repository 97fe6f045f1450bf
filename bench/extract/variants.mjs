// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const WEIGHTS = here('../../data/weights/vgg16-imagenet.safetensors.index.json');

/**
 * @typedef {object} Measured one run in a process of its own
 * @property {number} images images that went through the network
 * @property {number} seconds reading, decoding, inference (and storing, where the program stores)
 * @property {number} wallSeconds the whole process, from start to exit
 * @property {number} cpuSeconds
 * @property {number} peakRssMiB
 * @property {Record<string, unknown>} facts versions, engine, contract: what the program says of itself
 */

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {boolean} isPeer
 * @property {boolean} comparable whether its features are those of Keras: same contract
 * @property {(keep?: string) => Measured} run `keep`: where to leave the features (a file for Keras, a store for permafrost)
 */

/**
 * @param {string} python
 * @param {string[]} command
 */
function measure(python, command) {
  const timed = spawnSync(python, [here('measure.py'), ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  if (timed.status !== 0) throw new Error(`measure.py failed: ${timed.stderr}`);
  const { exitCode, stdout, ...usage } =
    /** @type {{ exitCode: number, stdout: string, wallSeconds: number, cpuSeconds: number, peakRssMiB: number }} */ (
      JSON.parse(timed.stdout)
    );
  if (exitCode !== 0)
    throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${timed.stderr}${stdout}`);
  return { usage, stdout };
}

/**
 * @param {{ python: string, dataset: string, folders: string[], batch: number }} options
 * @returns {Variant}
 */
export function kerasVariant({ python, dataset, folders, batch }) {
  return {
    name: `keras batch ${batch}`,
    isPeer: true,
    comparable: true,
    run(keep) {
      const command = [python, here('keras_peer.py'), dataset, '--folders', ...folders, '--weights', WEIGHTS];
      command.push('--batch', String(batch), ...(keep === undefined ? [] : ['--save', keep]));
      const { usage, stdout } = measure(python, command);
      const last = stdout.trim().split('\n').at(-1) ?? '';
      const { images, seconds, versions } =
        /** @type {{ images: number, seconds: number, versions: Record<string, string> }} */ (
          JSON.parse(last)
        );
      return { images, seconds, ...usage, facts: { ...versions, precision: 'fp32' } };
    },
  };
}

/**
 * @param {{ python: string, dataset: string, name: string, comparable: boolean, flags: string[] }} options
 * @returns {Variant}
 */
export function permafrostVariant({ python, dataset, name, comparable, flags }) {
  return {
    name,
    isPeer: false,
    comparable,
    run(keep) {
      const scratch = keep ?? mkdtempSync(join(tmpdir(), 'permafrost-bench-'));
      try {
        const main = here('../../dist/cli/main.js');
        const command = [process.execPath, main, 'extract', dataset, '--store', scratch, '--json', ...flags];
        const { usage, stdout } = measure(python, command);
        const result = /** @type {import('../../src/core/results.ts').ExtractResult} */ (JSON.parse(stdout));
        if (result.failed.length > 0)
          throw new Error(`${result.failed.length} images failed; bench intact ones.`);
        const { engine, contractId, dtype } = result;
        return {
          images: result.extracted,
          seconds: result.seconds.extract,
          ...usage,
          facts: { ...engine, contractId, dtype },
        };
      } finally {
        if (keep === undefined) rmSync(scratch, { recursive: true });
      }
    },
  };
}
