// @ts-check
// One process of bench/finetune/run.mjs: epochs of a task by a trainer, with the recipe's own loop and optimiser.
//   node permafrost-epoch.mjs TASK TRAINER INPUTS EPOCHS [GRADIENTS]
// Prints a line of JSON. With GRADIENTS it writes those of the first run there and times nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { denseKernel, TASKS } from './tasks.mjs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/extract/engines/trainers.ts')} */
const { createTrainer } = await import(dist('extract/engines/trainers.js'));
/** @type {typeof import('../../src/extract/backbones/vgg.ts')} */
const { vgg16 } = await import(dist('extract/backbones/vgg.js'));
/** @type {typeof import('../../src/extract/weights/load-weights.ts')} */
const { loadWeights } = await import(dist('extract/weights/load-weights.js'));
/** @type {typeof import('../../src/workflows/finetune/training/loaded-tail.ts')} */
const { disposeTail, loadTail } = await import(dist('workflows/finetune/training/loaded-tail.js'));
/** @type {typeof import('../../src/workflows/finetune/training/tail-fit.ts')} */
const { tailFit } = await import(dist('workflows/finetune/training/tail-fit.js'));
/** @type {typeof import('../../src/workflows/finetune/training/recipe.ts')} */
const { recipeOf } = await import(dist('workflows/finetune/training/recipe.js'));
/** @type {typeof import('../../src/workflows/finetune/options.ts')} */
const { FINETUNE_OPTIONS } = await import(dist('workflows/finetune/options.js'));
/** @type {typeof import('../../src/core/options.ts')} */
const { defaultsOf } = await import(dist('core/options.js'));
/** @type {typeof import('../../src/core/safetensors.ts')} */
const { writeSafetensors } = await import(dist('core/safetensors.js'));

const [, , taskName, trainerName = '', inputsFile = '', epochs = '1', gradientsFile] = process.argv;
const task = TASKS.find(({ name }) => name === taskName);
if (task === undefined) throw new Error(`no task ${taskName}`);
const { firstBlock, side, channels, batch, step, images } = task;
const bytes = readFileSync(inputsFile);
const inputs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const width = side * side * channels;
const trainer = await createTrainer(/** @type {'onnxruntime' | 'openvino'} */ (trainerName));
const program = /** @type {const} */ ({
  layers: vgg16.layers.slice(vgg16.layers.findIndex(({ name }) => name === `block${firstBlock}_conv1`)),
  input: { height: side, width: side, channels },
  batch,
  head: { pooling: 'avg', norm: 'l2', classes: 2 },
});
const meter = /** @type {import('../../src/workflows/finetune/training/step-meter.ts').StepMeter} */ (
  /** @type {unknown} */ ({ trained() {}, scored() {} })
);
const loaded = await loadTail(trainer, program, { meter, signal: undefined });
const { tensors } = await loadWeights({ backbone: vgg16 });
const start = new Map(
  [...loaded.step.parameters].map(([name, { length }]) => [
    name,
    name === 'head/kernel' ? denseKernel(length) : (tensors.get(name)?.data ?? new Float32Array(length)),
  ]),
);

if (gradientsFile !== undefined) {
  for (const [name, array] of loaded.step.parameters) array.set(start.get(name) ?? []);
  loaded.step.x.set(inputs.subarray(0, batch * width));
  for (let i = 0; i < batch; i++) loaded.step.y[2 * i + (i % 2)] = 1 / batch;
  const loss = await loaded.step.run();
  const gradients = [...loaded.step.gradients].map(
    ([name, data]) => /** @type {const} */ ([name, { dtype: 'F32', shape: [data.length], data }]),
  );
  writeFileSync(gradientsFile, writeSafetensors(new Map(gradients)));
  console.log(JSON.stringify({ loss }));
} else {
  const fit = tailFit(
    loaded,
    {
      inputs: {
        width,
        read(picks, out) {
          picks.forEach(({ image }, i) => out.set(inputs.subarray(image * width, (image + 1) * width), i * width));
          return Promise.resolve();
        },
      },
      truth: Int32Array.from({ length: images }, (_, i) => i % 2),
      images: Array.from({ length: images }, (_, i) => i),
    },
    { ...recipeOf(defaultsOf(FINETUNE_OPTIONS)), batch: step, epochs: Number(epochs), views: 0 },
    1e-5,
    start,
  );
  await loaded.step.run();
  const seconds = [];
  for (let epoch = 1; epoch <= Number(epochs); epoch++) {
    const began = performance.now();
    await fit.epoch(epoch);
    seconds.push((performance.now() - began) / 1000);
  }
  console.log(JSON.stringify({ images, seconds, version: `${trainer.name} ${trainer.version}` }));
}
await disposeTail(loaded);
