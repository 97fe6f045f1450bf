// @ts-check
// How many requests does the service answer, and how soon, beside FastAPI before the same network and head, and beside
// the network alone? And does it keep its memory over many?
//   npm run build && node bench/serve/run.mjs DATASET [--backbone efficientnet-lite0|vgg16] [--engine onnxruntime]
//     [--precision fp32] [--clients 1,8,64] [--requests 400] [--rounds 3] [--soak 0] [--no-peer]
// DATASET: a folder of class folders of two classes, or with Train/ and Val/. Extracts it and trains a head into a
// temporary store. All sides must name the same class of every image before anything is timed; each round starts every
// side anew, in alternating order. --soak 50000: so many requests of 8 clients, memory before and after, then SIGTERM
// in the middle of work. Clients run on the same cores. Writes bench/results/serve-<time>.json.
import { execFileSync } from 'node:child_process';
import { Agent } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { peerPython } from '../peer-environment.mjs';
import { ask, drive } from './clients.mjs';
import { cpuSeconds, permafrostSide, peerSide } from './sides.mjs';
import { soak } from './soak.mjs';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const MAIN = root('dist/cli/main.js');
if (!existsSync(MAIN)) throw new Error('dist/ is missing. Run "npm run build" first.');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backbone: { type: 'string', default: 'efficientnet-lite0' },
    engine: { type: 'string', default: 'onnxruntime' },
    precision: { type: 'string', default: 'fp32' },
    clients: { type: 'string', default: '1,8,64' },
    requests: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '3' },
    soak: { type: 'string', default: '0' },
    'no-peer': { type: 'boolean', default: false },
  },
});
const levels = values.clients.split(',').map(Number);
const [requests, rounds, soaked] = [values.requests, values.rounds, values.soak].map(Number);
const { backbone, engine, precision } = values;
if (positionals[0] === undefined || !(Number(requests) > 0) || !(Number(rounds) > 0) || !levels.every((n) => n > 0))
  throw new Error('Usage: node bench/serve/run.mjs DATASET [--backbone NAME] [--clients 1,8,64] [--requests 400] …');
const dataset = resolve(positionals[0]);
const isVgg = backbone === 'vgg16';

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-serve-'));
const at = (/** @type {string} */ name) => join(scratch, name);
/** @param {string[]} args */
const permafrost = (...args) =>
  JSON.parse(execFileSync(process.execPath, [MAIN, ...args, '--json', '--quiet'], { encoding: 'utf8' }));

try {
  const run = ['--engine', engine, '--precision', precision, '--backbone', backbone];
  // Keras resizes as this contract says.
  permafrost('extract', dataset, '--store', at('store'), ...run, ...(isVgg ? ['--contract', 'keras'] : []));
  const { file: head } = permafrost('train', at('store'), '--head', 'logistic', '--pooling', 'avg');
  /** @type {typeof import('../../src/index.ts')} */
  const { scanDataset } = await import(new URL('../../dist/index.js', import.meta.url).href);
  const { samples } = await scanDataset(dataset);
  const paths = samples.map(({ path }) => join(dataset, path)).filter((path) => /\.jpe?g$/i.test(path));
  const images = paths.map((path) => readFileSync(path));

  /** @type {(() => Promise<import('./sides.mjs').Side>)[]} */
  const sides = [() => permafrostSide(head, engine, precision)];
  if (!values['no-peer']) {
    const python = peerPython('serve', 'FastAPI, Keras, TensorFlow, ONNX Runtime: 1.8 GB');
    if (isVgg) {
      const weights = ['--keras-weights', root('data/weights/vgg16-imagenet.safetensors.index.json')];
      sides.push(() => peerSide('FastAPI + Keras', python, head, weights));
    } else {
      const { writeGraph } = await import('../backbones/graph-files.mjs');
      await writeGraph(backbone, { model: at('graph.onnx'), contract: at('contract.json') });
      sides.push(() => peerSide('FastAPI + ONNX Runtime', python, head, ['--model', at('graph.onnx')]));
    }
  }

  // What they say of every image.
  /** @type {Map<string, { label: string, probability: number }[]>} */
  const said = new Map();
  for (const open of sides) {
    const side = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers = [];
    for (const image of images) answers.push(await ask(side.port, image, agent));
    agent.destroy();
    await side.stop();
    said.set(side.name, answers);
  }
  const [ours = [], ...others] = [...said.values()];
  const differing = others.map((answers) => answers.filter(({ label }, i) => label !== ours[i]?.label).length);
  const farthest = others.map((answers) =>
    Math.max(
      ...answers.map(({ label, probability }, i) =>
        label === ours[i]?.label ? Math.abs(probability - ours[i].probability) : 0,
      ),
    ),
  );
  console.error(
    `${images.length} images; answers that differ: ${differing.join(', ') || 'no peer'}; farthest probability ${farthest.join(', ')}`,
  );
  const most = precision === 'fp32' ? 0 : 0.02 * images.length;
  if (differing.some((count) => count > most)) throw new Error('The sides name different classes: nothing is timed.');

  const alone = [];
  /** @type {Record<string, Record<number, (import('./clients.mjs').Load & { cpuMs: number })[]>>} */
  const loads = {};
  for (let round = 0; round < Number(rounds); round++) {
    const seconds = '5';
    const program = root('bench/serve/engine.mjs');
    alone.push(
      JSON.parse(
        execFileSync(process.execPath, [program, head, engine, precision, seconds, ...paths.slice(0, 64)], {
          encoding: 'utf8',
        }),
      ),
    );
    for (const open of round % 2 === 0 ? sides : [...sides].reverse()) {
      const side = await open();
      await drive({ port: side.port, images, clients: 8, requests: 32 });
      for (const clients of levels) {
        const cpu = cpuSeconds(side);
        const driven = await drive({ port: side.port, images, clients, requests: Number(requests) });
        const load = { ...driven, cpuMs: (1000 * (cpuSeconds(side) - cpu)) / Number(requests) };
        ((loads[side.name] ??= {})[clients] ??= []).push(load);
        console.error(
          `${side.name}, ${clients} clients: ${load.perSecond.toFixed(1)}/s, p50 ${load.p50.toFixed(0)} ms`,
        );
      }
      await side.stop();
    }
  }
  const perSecond = median(alone.map((one) => one.perSecond));
  const engineAlone = {
    perSecond,
    cpuMs: median(alone.map((one) => one.cpuMs)),
    oneMs: median(alone.map((one) => one.oneMs)),
    rounds: alone,
  };
  const table = Object.entries(loads).flatMap(([name, byClients]) =>
    Object.entries(byClients).map(([clients, all]) => {
      const of = (/** @type {'perSecond' | 'p50' | 'p95' | 'p99' | 'cpuMs'} */ key) =>
        median(all.map((load) => load[key]));
      return {
        name,
        clients: Number(clients),
        perSecond: of('perSecond'),
        ofEngine: of('perSecond') / perSecond,
        p50: of('p50'),
        p95: of('p95'),
        p99: of('p99'),
        cpuMs: of('cpuMs'),
        rounds: all,
      };
    }),
  );
  console.log(
    `network alone: ${perSecond.toFixed(1)} images/s in batches of 8, ${engineAlone.cpuMs.toFixed(1)} ms of the processor each, ${engineAlone.oneMs.toFixed(1)} ms for one alone`,
  );
  console.log(
    '| side | clients | requests/s | of the network alone | p50 ms | p95 ms | p99 ms | CPU ms a request |\n|---|---|---|---|---|---|---|---|',
  );
  for (const { name, clients, perSecond: rate, ofEngine, p50, p95, p99, cpuMs } of table)
    console.log(
      `| ${name} | ${clients} | ${rate.toFixed(1)} | ${(100 * ofEngine).toFixed(0)} % | ${p50.toFixed(0)} | ${p95.toFixed(0)} | ${p99.toFixed(0)} | ${cpuMs.toFixed(1)} |`,
    );
  const soakReport =
    Number(soaked) > 0 ? await soak(await permafrostSide(head, engine, precision), images, Number(soaked)) : undefined;
  if (soakReport !== undefined) console.log(JSON.stringify(soakReport, null, 1));
  const report = {
    backbone,
    engine,
    precision,
    images: images.length,
    differing,
    farthest,
    engineAlone,
    table,
    soak: soakReport,
  };
  console.log(writeReport('serve', report));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
