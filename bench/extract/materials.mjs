// @ts-check
// What all sides are given: pixels that permafrost decoded, and the network as ONNX files for OpenVINO from Python.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/index.ts')} */
const { CONTRACTS, decode, loadWeights, openStore, readHeader, vgg16 } = await import(dist('index.js'));
/** @type {typeof import('../../src/extract/calibrate.ts')} */
const { quantizationOf } = await import(dist('extract/calibrate.js'));
/** @type {typeof import('../../src/store/read/stored-parts.ts')} */
const { currentSet } = await import(dist('store/read/stored-parts.js'));
/** @type {typeof import('../../src/store/read/calibration-file.ts')} */
const { readCalibration } = await import(dist('store/read/calibration-file.js'));
/** @type {typeof import('../../src/extract/graph/program-graph.ts')} */
const { programGraph } = await import(dist('extract/graph/program-graph.js'));
/** @type {typeof import('../../src/extract/engines/openvino/compile-program.ts')} */
const { oneImageGraph } = await import(dist('extract/engines/openvino/compile-program.js'));
/** @type {typeof import('../../src/core/onnx-model.ts')} */
const { encodeOnnx } = await import(dist('core/onnx-model.js'));

/** What the comparable variants extract: Keras' pixels, the flattened map that Keras' predict gives. */
export const CONTRACT = CONTRACTS.keras;
const OUTPUT = /** @type {const} */ ({ cut: 'block5_pool', pooling: 'flatten' });

/**
 * Writes uint8 RGB pixels (paths.length, 224, 224, 3), one image after the other.
 * @param {string} file
 * @param {string} root
 * @param {readonly string[]} paths
 */
export async function writePixels(file, root, paths) {
  /** @type {Uint8Array[]} */
  const images = [];
  for (const path of paths) {
    const bytes = await readFile(join(root, path));
    images.push(await decode(bytes, await readHeader(bytes), CONTRACT));
  }
  await writeFile(file, Buffer.concat(images));
}

/**
 * The calibration of a store that was extracted in int8.
 * @param {string} store
 */
export async function calibrationIn(store) {
  const { settings, quantization } = currentSet(await openStore(store));
  if (quantization === undefined) throw new Error(`${store} was not extracted in int8.`);
  return readCalibration(store, quantization.calibration, settings.calibration);
}

/**
 * Writes the network for batches of one image, as permafrost's own engine openvino compiles it: float32, or 8 bits with
 * the ranges of `calibration`.
 * @param {string} file
 * @param {import('../../src/core/calibration.ts').Int8Calibration} [calibration]
 */
export async function writeModel(file, calibration) {
  const graph = programGraph({
    backbone: vgg16,
    weights: await loadWeights({ backbone: vgg16 }),
    contract: CONTRACT,
    outputs: [OUTPUT],
    ...(calibration && { quantization: quantizationOf(calibration) }),
  });
  await writeFile(file, encodeOnnx(oneImageGraph(graph)));
}
