// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, measure } from '../measure.mjs';

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const WEIGHTS = here('../../data/weights/vgg16-imagenet.safetensors.index.json');

/**
 * @typedef {object} Measured one extraction in a process of its own
 * @property {number} images images that went through the network
 * @property {number} seconds reading, decoding, inference (and storing, where the program stores)
 * @property {number} wallSeconds the whole process, from start to exit
 * @property {number} cpuSeconds the whole process
 * @property {number} peakRssMiB
 * @property {Record<string, unknown>} facts versions, engine, contract: what the program says of itself
 */

/**
 * @typedef {object} Alone inference of decoded pixels in a process of its own
 * @property {number} images
 * @property {number} seconds
 * @property {number} cpuSeconds the inference only
 */

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {'keras' | 'openvino from Python' | 'permafrost'} side
 * @property {string} precision
 * @property {boolean} comparable whether its features are those of Keras: same contract
 * @property {(keep?: string) => Measured} run `keep`: where to leave the features (a file for the peers, a store for
 *   permafrost)
 * @property {(() => Alone) | null} alone null where another variant runs the same network
 */

/**
 * @typedef {object} Setting what all variants share
 * @property {string} python
 * @property {string} dataset
 * @property {readonly string[]} folders its split folders
 * @property {string} pixels file of decoded images, for the inference alone
 * @property {number} seconds least duration of that
 */

/**
 * @param {Setting} setting
 * @param {string[]} command
 * @param {string} precision
 * @returns {Pick<Variant, 'run' | 'alone'>}
 */
function pythonProgram({ python, pixels, seconds: least }, command, precision) {
  return {
    run(keep) {
      const { usage, stdout } = measure(python, [python, ...command, ...(keep === undefined ? [] : ['--save', keep])]);
      /** @type {{ images: number, seconds: number, versions: Record<string, string> }} */
      const { images, seconds, versions } = lastLine(stdout);
      return { images, seconds, ...usage, facts: { ...versions, precision } };
    },
    alone() {
      const flags = ['--alone', pixels, '--seconds', String(least)];
      return lastLine(measure(python, [python, ...command, ...flags]).stdout);
    },
  };
}

/**
 * @param {Setting} setting
 * @param {number} batch
 * @returns {Variant}
 */
export function kerasVariant(setting, batch) {
  const command = [here('keras_peer.py'), setting.dataset, '--folders', ...setting.folders];
  command.push('--weights', WEIGHTS, '--batch', String(batch));
  return {
    name: `keras batch ${batch}`,
    side: 'keras',
    precision: 'fp32',
    comparable: true,
    ...pythonProgram(setting, command, 'fp32'),
  };
}

/**
 * @param {Setting} setting
 * @param {'fp32' | 'bf16' | 'int8'} precision
 * @param {string} model ONNX file; that of int8 holds the quantization in itself
 * @returns {Variant}
 */
export function openVinoVariant(setting, precision, model) {
  const command = [here('openvino_peer.py'), setting.dataset, '--folders', ...setting.folders];
  command.push('--model', model, '--precision', precision === 'bf16' ? 'bf16' : 'f32');
  return {
    name: `openvino from Python, ${precision}`,
    side: 'openvino from Python',
    precision,
    comparable: true,
    ...pythonProgram(setting, command, precision),
  };
}

/**
 * @param {Setting} setting
 * @param {{ name: string, precision: string, comparable: boolean, flags: string[], alone: Variant['alone'] }} options
 * @returns {Variant}
 */
export function permafrostVariant({ python, dataset }, { name, precision, comparable, flags, alone }) {
  return {
    name,
    side: 'permafrost',
    precision,
    comparable,
    alone,
    run(keep) {
      const scratch = keep ?? mkdtempSync(join(tmpdir(), 'permafrost-bench-'));
      try {
        const main = here('../../dist/cli/main.js');
        const command = [process.execPath, main, 'extract', dataset, '--store', scratch, '--json', ...flags];
        const { usage, stdout } = measure(python, command);
        const result = /** @type {import('../../src/results/extract-result.ts').ExtractResult} */ (JSON.parse(stdout));
        if (result.failed.length > 0) throw new Error(`${result.failed.length} images failed; bench intact ones.`);
        const { engine, contractId, dtype, trace } = result;
        return {
          images: result.extracted,
          seconds: result.seconds.extract,
          ...usage,
          facts: { ...engine, contractId, dtype, trace },
        };
      } finally {
        if (keep === undefined) rmSync(scratch, { recursive: true });
      }
    },
  };
}

/**
 * An engine of permafrost under Keras' contract.
 * @param {Setting} setting
 * @param {{ engine: string, precision: string }} request
 * @param {string} [int8Store] a store that was extracted in int8: its calibration is used, so that all int8 sides run
 *   one network
 */
export function engineVariant(setting, { engine, precision }, int8Store) {
  const flags = ['--contract', 'keras', '--dtype', 'float32', '--engine', engine, '--precision', precision];
  return permafrostVariant(setting, {
    name: `permafrost ${engine}, ${precision}`,
    precision,
    comparable: true,
    flags,
    alone() {
      const { python, pixels, seconds } = setting;
      const command = [here('alone.mjs'), engine, precision, pixels, String(seconds)];
      if (precision === 'int8') command.push(String(int8Store));
      return lastLine(measure(python, [process.execPath, ...command]).stdout);
    },
  });
}
