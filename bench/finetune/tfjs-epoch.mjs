// @ts-check
// One process of bench/finetune/run.mjs: epochs of a task by LayersModel.fit of TensorFlow.js on TensorFlow's own
// library, as its users write it.
//   node tfjs-epoch.mjs TASK INPUTS EPOCHS
// Prints a line of JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { TASKS } from './tasks.mjs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/extract/backbones/vgg.ts')} */
const { vgg16 } = await import(dist('extract/backbones/vgg.js'));
/** @type {typeof import('../../src/extract/weights/load-weights.ts')} */
const { loadWeights } = await import(dist('extract/weights/load-weights.js'));
/** @type {typeof import('../../src/extract/engines/tfjs/packages.ts')} */
const { findPackage } = await import(dist('extract/engines/tfjs/packages.js'));

const [, , taskName, inputsFile = '', epochs = '1'] = process.argv;
const task = TASKS.find(({ name }) => name === taskName);
if (task === undefined) throw new Error(`no task ${taskName}`);
const found = findPackage('node-gpu') ?? findPackage('node');
if (found === null) throw new Error('no tfjs package that trains is installed');
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
// Outside of permafrost's types: the package is an optional peer, and more of it is used here than the engine takes.
const tf = createRequire(import.meta.url)(found.api);

const { firstBlock, side, channels, step, images } = task;
const { tensors } = await loadWeights({ backbone: vgg16 });
const layers = vgg16.layers.slice(vgg16.layers.findIndex(({ name }) => name === `block${firstBlock}_conv1`));
const model = tf.sequential();
for (const [i, layer] of layers.entries()) {
  model.add(
    layer.kind === 'maxPool'
      ? tf.layers.maxPooling2d({ poolSize: 2, strides: 2 })
      : tf.layers.conv2d({
          name: layer.name,
          filters: layer.filters,
          kernelSize: 3,
          padding: 'same',
          activation: 'relu',
          ...(i === 0 && { inputShape: [side, side, channels] }),
        }),
  );
}
model.add(tf.layers.globalAveragePooling2d({}));
model.add(tf.layers.dense({ units: 2, activation: 'softmax' }));
for (const layer of layers) {
  if (layer.kind !== 'conv') continue;
  const { name, inputs, filters } = layer;
  model
    .getLayer(name)
    .setWeights([
      tf.tensor(tensors.get(`${name}/kernel`)?.data, [3, 3, inputs, filters]),
      tf.tensor(tensors.get(`${name}/bias`)?.data, [filters]),
    ]);
}
model.compile({ optimizer: tf.train.adam(1e-5), loss: 'categoricalCrossentropy' });
const bytes = readFileSync(inputsFile);
const x = tf.tensor(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), [images, side, side, channels]);
const y = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: images }, (_, i) => i % 2),
    'int32',
  ),
  2,
);
await model.trainOnBatch(x.slice([0], [step]), y.slice([0], [step]));
const seconds = [];
for (let epoch = 0; epoch < Number(epochs); epoch++) {
  const began = performance.now();
  await model.fit(x, y, { batchSize: step, epochs: 1, shuffle: false, verbose: 0 });
  seconds.push((performance.now() - began) / 1000);
}
console.log(JSON.stringify({ images, seconds, version: `tfjs ${found.version} (${found.name})` }));
