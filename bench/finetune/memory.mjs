// @ts-check
// How much memory does a step of training take, and how much does each further image of it? What
// src/workflows/finetune/training/micro-batch.ts goes by.
//   npm run build && node bench/finetune/memory.mjs [--from block5_conv1] [--batch 32] [--engine onnxruntime]
// Loads the layers for training and for answers, as finetune does, runs both, and prints the most that the process
// took, without Adam's four copies of the weights.
import { parseArgs } from 'node:util';

const DIST = new URL('../../dist/', import.meta.url);
/** @param {string} path @returns {Promise<any>} */
const dist = (path) => import(new URL(path, DIST).href);
const { createTrainer } = await dist('extract/engines/trainers.js');
const { tailFrom, programOf } = await dist('workflows/finetune/training/tail.js');
const { sizeOf } = await dist('workflows/finetune/training/micro-batch.js');
const { values } = parseArgs({
  options: {
    from: { type: 'string', default: 'block5_conv1' },
    batch: { type: 'string', default: '32' },
    engine: { type: 'string', default: 'onnxruntime' },
  },
});

const tail = tailFrom(values.from, 224);
const head = { pooling: 'avg', norm: 'l2', classes: 5 };
const trainer = await createTrainer(values.engine);
const program = programOf(tail, head, Number(values.batch));
const answers = await trainer.loadAnswers(program);
const step = await trainer.loadStep(program);
for (const array of step.parameters.values())
  array.forEach((/** @type {number} */ _, /** @type {number} */ i) => (array[i] = 0.01 * Math.sin(i)));
step.y.fill(1 / (5 * program.batch));
await answers.run();
for (let i = 0; i < 2; i++) await step.run();
const { parameters, activations } = sizeOf(tail, head);
const peakMb = Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
console.log(JSON.stringify({ ...values, parameters, activations, peakMb }));
process.exit(0);
