// @ts-check
// Inference alone: node alone.mjs ENGINE PRECISION PIXELS SECONDS [STORE]. PIXELS is a file of uint8 images, decoded;
// STORE has the calibration of int8. Prints one line of JSON. Batches of 8, two of them in the engine at a time, as the
// pipeline of an extraction does.
import { readFile } from 'node:fs/promises';
import { calibrationIn, CONTRACT } from './materials.mjs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/index.ts')} */
const { loadWeights, vgg16 } = await import(dist('index.js'));
/** @type {typeof import('../../src/extract/engines/index.ts')} */
const { engineNamed } = await import(dist('extract/engines/index.js'));
/** @type {typeof import('../../src/extract/calibrate.ts')} */
const { quantizationOf } = await import(dist('extract/calibrate.js'));
/** @type {typeof import('../../src/workflows/extract/options.ts')} */
const { EXTRACT_DEFAULTS } = await import(dist('workflows/extract/options.js'));

const [name = '', precision = '', file = '', least = '', store] = process.argv.slice(2);
const pixels = await readFile(file);
const imageBytes = CONTRACT.size * CONTRACT.size * 3;
const images = pixels.length / imageBytes;
const { batch } = EXTRACT_DEFAULTS;

const engine = await engineNamed(name, { precision });
const executable = await engine.load({
  backbone: vgg16,
  weights: await loadWeights({ backbone: vgg16 }),
  contract: CONTRACT,
  outputs: /** @type {const} */ (['flatten', 'avg', 'max']).map((pooling) => ({
    cut: 'block5_pool',
    pooling,
  })),
  ...(store !== undefined && { quantization: quantizationOf(await calibrationIn(store)) }),
});

/** All images once, two batches in the engine at a time. */
async function once() {
  let next = 0;
  const line = async () => {
    while (next < images) {
      const from = next;
      next += batch;
      const count = Math.min(batch, images - from);
      await executable.run(pixels.subarray(from * imageBytes, (from + count) * imageBytes), count);
    }
  };
  await Promise.all([line(), line()]);
}

await executable.run(pixels, Math.min(batch, images));
const started = performance.now();
const cpu = process.cpuUsage();
let passes = 0;
while (passes === 0 || performance.now() - started < Number(least) * 1000) {
  await once();
  passes++;
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
await executable.dispose();
console.log(JSON.stringify({ images: images * passes, seconds, cpuSeconds: (user + system) / 1e6 }));
