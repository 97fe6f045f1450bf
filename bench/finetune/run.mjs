// @ts-check
// How fast, and in how much memory, are layers of VGG16 trained against Keras and TensorFlow.js, in one run?
//   npm run build && node bench/finetune/run.mjs [--rounds 3] [--epochs 1] [--task block5|block4+5|whole]...
//     [--trainer onnxruntime|openvino]... [--peer keras|tfjs]...
// Every training is a process of its own, in alternating order, on the same inputs and weights. Gradients are compared
// with TensorFlow's before anything is timed. Writes bench/results/finetune-<time>.json. tfjs is left out, and that is
// said, where no package of it that trains is installed (npx permafrost engines add tfjs).
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { lastLine, measure } from '../measure.mjs';
import { median } from '../median.mjs';
import { peerPython } from '../peer-environment.mjs';
import { directGflop, inputsOf, TASKS } from './tasks.mjs';

/** @typedef {import('./tasks.mjs').Task} Task */
/** @typedef {{ images: number, seconds: number[], version: string, peakRssMiB: number }} Epochs */

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
if (!existsSync(here('../../dist/cli/main.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/core/safetensors.ts')} */
const { readSafetensors } = await import(dist('core/safetensors.js'));
/** @type {typeof import('../../src/report/text-table.ts')} */
const { left, right, textTable } = await import(dist('report/text-table.js'));
/** @type {typeof import('../../src/extract/engines/tfjs/packages.ts')} */
const { findPackage } = await import(dist('extract/engines/tfjs/packages.js'));

/**
 * Length of the difference over the length of TensorFlow's gradient. Rounding alone gives 2e-6; a few ReLUs and pools
 * of a batch are so near to a tie that it decides them the other way, which is as right. The first layer of the whole
 * network, behind the most of them, differs by 7e-3.
 */
const MOST_DIFFERENCE = 2e-2;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    epochs: { type: 'string', default: '1' },
    task: { type: 'string', multiple: true, default: TASKS.map(({ name }) => name) },
    trainer: { type: 'string', multiple: true, default: ['onnxruntime'] },
    peer: { type: 'string', multiple: true, default: ['keras', 'tfjs'] },
  },
});
const rounds = Number(values.rounds);
const epochs = Number(values.epochs);
const tasks = TASKS.filter(({ name }) => values.task.includes(name));
if (!(rounds >= 1) || !(epochs >= 1) || tasks.length < values.task.length) {
  throw new Error(
    `Usage: node bench/finetune/run.mjs [--rounds 3] [--epochs 1] [--task ${TASKS.map(({ name }) => name).join('|')}]... [--trainer onnxruntime|openvino]... [--peer keras|tfjs]...`,
  );
}
const peers = values.peer.filter((peer) => {
  if (peer !== 'tfjs' || findPackage('node-gpu') !== null || findPackage('node') !== null) return true;
  console.error('tfjs is left out: no package of it that trains is installed (npx permafrost engines add tfjs).');
  return false;
});

const python = peerPython('finetune', 'Keras and TensorFlow: 1.2 GB');
const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-finetune-'));
const at = (/** @type {string} */ name) => join(scratch, name);
const inputsFile = (/** @type {Task} */ { name }) => at(`${name}.f32`);

/** @param {Task} task @param {string[]} more */
const kerasCommand = (task, ...more) => [
  python,
  here('keras_peer.py'),
  inputsFile(task),
  '--weights',
  here('../../data/weights/vgg16-imagenet.safetensors.index.json'),
  ...['--first-block', String(task.firstBlock), '--side', String(task.side), '--channels', String(task.channels)],
  ...['--step', String(task.step), '--epochs', String(epochs), ...more],
];

/** @param {Task} task @param {string} variant */
function commandOf(task, variant) {
  if (variant === 'keras') return kerasCommand(task);
  if (variant === 'tfjs')
    return [process.execPath, here('tfjs-epoch.mjs'), task.name, inputsFile(task), String(epochs)];
  return [process.execPath, here('permafrost-epoch.mjs'), task.name, variant, inputsFile(task), String(epochs)];
}

/** @param {string} file @returns {Map<string, Float32Array>} */
function gradientsIn(file) {
  const { tensors } = readSafetensors(readFileSync(file), { name: file, code: 'STORE_CORRUPT' });
  return new Map([...tensors].map(([name, { data }]) => [name, /** @type {Float32Array} */ (data)]));
}

/**
 * The largest difference of a trainer's gradients to TensorFlow's. Throws where it is too large to be rounding.
 * @param {Task} task
 * @param {string} trainer
 */
function checkGradients(task, trainer) {
  const [own, peer] = [at('own.safetensors'), at('keras.safetensors')];
  measure(python, [...commandOf(task, trainer), own]);
  measure(python, kerasCommand(task, '--gradients', peer, '--images', String(task.batch)));
  const expected = gradientsIn(peer);
  let worst = { name: '', difference: 0 };
  for (const [name, found] of gradientsIn(own)) {
    const other = expected.get(name);
    if (other?.length !== found.length) throw new Error(`Keras has no gradient ${name} of ${found.length} values.`);
    let [apart, length] = [0, 0];
    found.forEach((value, i) => {
      apart += (value - Number(other[i])) ** 2;
      length += Number(other[i]) ** 2;
    });
    const difference = Math.sqrt(apart / length);
    if (!(difference <= worst.difference)) worst = { name, difference };
  }
  const line = `${task.name} by ${trainer}: gradients differ from TensorFlow's by ${worst.difference.toExponential(1)} at most (${worst.name})`;
  if (!(worst.difference <= MOST_DIFFERENCE)) throw new Error(`Not equal, so not timed. ${line}.`);
  console.error(line);
  return worst.difference;
}

try {
  const report = [];
  const rows = [];
  for (const task of tasks) {
    const inputs = inputsOf(task);
    writeFileSync(inputsFile(task), new Uint8Array(inputs.buffer));
    const differences = new Map(values.trainer.map((trainer) => [trainer, checkGradients(task, trainer)]));
    const variants = [...peers, ...values.trainer];
    /** @type {Map<string, Epochs[]>} */
    const measured = new Map(variants.map((variant) => [variant, []]));
    /** @type {number[]} */
    const peaks = [];
    for (let round = 0; round < rounds; round++) {
      peaks.push(
        /** @type {{ gflops: number }} */ (lastLine(measure(python, [process.execPath, here('gemm-peak.mjs')]).stdout))
          .gflops,
      );
      // The order alternates, so that a machine that warms up or slows down favours nobody.
      for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
        const { usage, stdout } = measure(python, commandOf(task, variant));
        const found = /** @type {Epochs} */ ({ ...lastLine(stdout), peakRssMiB: usage.peakRssMiB });
        measured.get(variant)?.push(found);
        const seconds = found.seconds.map((epoch) => epoch.toFixed(2)).join(', ');
        console.error(
          `round ${round + 1}  ${task.name} by ${variant}: ${seconds} s an epoch of ${task.images}, ${usage.peakRssMiB.toFixed(0)} MiB`,
        );
      }
    }
    const peak = Math.max(...peaks);
    const secondsOf = (/** @type {string} */ variant) =>
      median((measured.get(variant) ?? []).map(({ seconds }) => median(seconds)));
    for (const variant of variants) {
      const perStep = secondsOf(variant) / (task.images / task.step);
      const gflops = directGflop(task) / perStep;
      const all = measured.get(variant) ?? [];
      const memory = Math.max(...all.map(({ peakRssMiB }) => peakRssMiB));
      report.push({
        task: task.name,
        variant,
        version: all[0]?.version,
        imagesOfAStep: task.step,
        imagesOfARun: peers.includes(variant) ? task.step : task.batch,
        secondsPerStep: perStep,
        imagesPerSecond: task.step / perStep,
        directGflops: gflops,
        ofGemmPeak: gflops / peak,
        gemmPeakGflops: peak,
        peakRssMiB: memory,
        gradientDifference: differences.get(variant) ?? null,
        rounds: all,
      });
      rows.push([
        task.name,
        variant,
        perStep.toFixed(2),
        ((perStep / task.step) * 244).toFixed(1),
        ...['keras', 'tfjs'].map((peer) =>
          peers.includes(peer) ? (secondsOf(peer) / secondsOf(variant)).toFixed(2) : '',
        ),
        (gflops / peak).toFixed(2),
        memory.toFixed(0),
      ]);
    }
  }
  const file = writeReport('finetune', {
    question: 'How fast, and in how much memory, are layers of VGG16 trained against Keras and TensorFlow.js?',
    variants: report,
  });
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; median of ${rounds} rounds, peak memory the largest`,
  );
  console.log(
    textTable(
      [
        ...left('layers', 'by'),
        ...right('s a step', 's an epoch of 244', 'times Keras', 'times tfjs', 'of GEMM peak', 'MiB'),
      ],
      rows,
    ),
  );
  console.log(file);
} finally {
  rmSync(scratch, { recursive: true });
}
