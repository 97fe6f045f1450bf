// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, measure } from '../measure.mjs';

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const WEIGHTS = here('../../data/weights/vgg16-imagenet.safetensors.index.json');

/**
 * @typedef {object} Measured one extraction in a process of its own
 * @property {number} images
 * @property {number} seconds reading, decoding, inference (and storing, where the program stores)
 * @property {number} wallSeconds the whole process, from start to exit
 * @property {number} cpuSeconds the whole process
 * @property {number} peakRssMiB
 * @property {Record<string, unknown>} facts versions, engine, contract: what the program says of itself
 */

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {'keras' | 'onnxruntime from Python' | 'permafrost'} side
 * @property {string} backbone
 * @property {string} precision
 * @property {boolean} hasWeights false for networks of random weights: only their speed counts
 * @property {(keep?: string) => Measured} run `keep`: where to leave the features (a file for the peers, a store for
 *   permafrost)
 */

/**
 * @typedef {object} Setting what all variants share
 * @property {string} python
 * @property {string} dataset
 * @property {readonly string[]} folders its split folders
 */

/**
 * @param {Setting} setting
 * @param {readonly string[]} command
 * @returns {Variant['run']}
 */
const pythonProgram =
  ({ python, dataset, folders }, [script = '', ...flags]) =>
  (keep) => {
    const command = [python, here(script), dataset, '--folders', ...folders, ...flags];
    const { usage, stdout } = measure(python, [...command, ...(keep === undefined ? [] : ['--save', keep])]);
    /** @type {{ images: number, seconds: number, versions: Record<string, string> }} */
    const { images, seconds, versions } = lastLine(stdout);
    return { images, seconds, ...usage, facts: versions };
  };

/**
 * @param {Setting} setting
 * @param {string} network a name in keras.applications
 * @param {string} batch
 * @returns {Variant}
 */
export function kerasVariant(setting, network, batch) {
  const hasWeights = network === 'VGG16';
  return {
    name: `Keras ${network}${hasWeights ? '' : ' (random weights)'}`,
    side: 'keras',
    backbone: network.toLowerCase(),
    precision: 'fp32',
    hasWeights,
    run: pythonProgram(setting, ['keras_peer.py', '--network', network, '--weights', WEIGHTS, '--batch', batch]),
  };
}

/**
 * @typedef {object} PeerSetting how ONNX Runtime from Python shares the cores
 * @property {number} sessions
 * @property {number} batch
 */

/**
 * @param {Setting} setting
 * @param {string} backbone
 * @param {{ model: string, contract: string }} files the graph as permafrost runs it; the contract as JSON
 * @param {PeerSetting} how
 * @returns {Variant}
 */
export function onnxRuntimeVariant(setting, backbone, { model, contract }, { sessions, batch }) {
  const flags = ['--model', model, '--contract', contract, '--sessions', String(sessions), '--batch', String(batch)];
  return {
    name: `ONNX Runtime from Python, ${basename(backbone)}, ${sessions} session${sessions > 1 ? 's' : ''}, batch ${batch}`,
    side: 'onnxruntime from Python',
    backbone,
    precision: 'fp32',
    hasWeights: true,
    run: pythonProgram(setting, ['ort_peer.py', ...flags]),
  };
}

/**
 * @param {Setting} setting
 * @param {{ backbone: string, engine: string, precision: string }} request
 * @returns {Variant}
 */
export function permafrostVariant({ python, dataset }, { backbone, engine, precision }) {
  // VGG16 under Keras' own pixels, so that features can be compared.
  const contract = backbone === 'vgg16' ? ['--contract', 'keras'] : [];
  const flags = [
    '--backbone',
    backbone,
    ...contract,
    '--engine',
    engine,
    '--precision',
    precision,
    '--dtype',
    'float32',
  ];
  return {
    name: `permafrost ${basename(backbone)}, ${engine} ${precision}`,
    side: 'permafrost',
    backbone,
    precision,
    hasWeights: true,
    run(keep) {
      const store = keep ?? mkdtempSync(join(tmpdir(), 'permafrost-bench-'));
      try {
        const main = here('../../dist/cli/main.js');
        const command = [process.execPath, main, 'extract', dataset, '--store', store, '--json', ...flags];
        const { usage, stdout } = measure(python, command);
        const result = /** @type {import('../../src/results/extract-result.ts').ExtractResult} */ (JSON.parse(stdout));
        if (result.failed.length > 0) throw new Error(`${result.failed.length} images failed; bench intact ones.`);
        const { engine: ran, contractId, cut, trace } = result;
        return {
          images: result.extracted,
          seconds: result.seconds.extract,
          ...usage,
          facts: { ...ran, contractId, cut, trace },
        };
      } finally {
        if (keep === undefined) rmSync(store, { recursive: true });
      }
    },
  };
}
