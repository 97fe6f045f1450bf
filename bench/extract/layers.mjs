// @ts-check
// Which convolutions of VGG16 does Winograd's minimal filtering make faster, layer by layer?
//   npm run build && node bench/extract/layers.mjs [--batch 1]... [--runtime onnxruntime|openvino]... [--seconds 0.4]
// Processor time of one thread, direct and by Winograd in turn, each layer in a graph of its own whose output is
// averaged, so that no layout but the layer's own is written. Answers are compared first.
import { parseArgs } from 'node:util';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/index.ts')} */
const { CONTRACTS, loadWeights, vgg16 } = await import(dist('index.js'));
/** @type {typeof import('../../src/core/onnxruntime.ts')} */
const { createSession, onnxRuntime } = await import(dist('core/onnxruntime.js'));
/** @type {typeof import('../../src/extract/graph/float-layers.ts')} */
const { floatLayer } = await import(dist('extract/graph/float-layers.js'));
/** @type {typeof import('../../src/extract/graph/nhwc/frozen-layers.ts')} */
const { frozenLayers } = await import(dist('extract/graph/nhwc/frozen-layers.js'));
/** @type {typeof import('../../src/extract/engines/openvino/require-openvino.ts')} */
const { requireOpenVino } = await import(dist('extract/engines/openvino/require-openvino.js'));
/** @type {typeof import('../../src/extract/engines/openvino/compile-program.ts')} */
const { compile, modelOfGraph } = await import(dist('extract/engines/openvino/compile-program.js'));
/** @type {typeof import('../../src/extract/engines/openvino/request-queue.ts')} */
const { requestQueue } = await import(dist('extract/engines/openvino/request-queue.js'));

/**
 * @typedef {import('../../src/core/onnx-model.ts').OnnxGraph} Graph
 * @typedef {{ run: () => Promise<Float32Array>, release: () => Promise<void> }} Loaded
 */

const { values } = parseArgs({
  options: {
    batch: { type: 'string', multiple: true, default: ['1', '4', '8'] },
    runtime: { type: 'string', multiple: true, default: ['onnxruntime'] },
    seconds: { type: 'string', default: '0.4' },
  },
});
const weights = await loadWeights({ backbone: vgg16 });

/** A layer on (batch, inputs, side, side), averaged over its map. */
function graphOf(
  /** @type {any} */ layer,
  /** @type {number} */ side,
  /** @type {number} */ batch,
  isWinograd = false,
) {
  const output = /** @type {const} */ ({ cut: layer.name, pooling: 'avg' });
  const program = { backbone: vgg16, weights, contract: CONTRACTS.keras, outputs: [output] };
  const input = { tensor: 'x', height: side, width: side, channels: layer.inputs };
  const name = `${layer.name}/avg`;
  const direct = floatLayer(layer, 'x', program);
  const average = { op: 'GlobalAveragePool', inputs: [layer.name], outputs: ['map'] };
  const flat = { op: 'Flatten', inputs: ['map'], outputs: [name] };
  const part = isWinograd
    ? frozenLayers([layer], input, program, { batch, tileBytes: 32 * 2 ** 20 })
    : { nodes: [...direct.nodes, average, flat], initializers: direct.initializers };
  return /** @type {Graph} */ ({
    name: layer.name,
    nodes: part.nodes,
    initializers: part.initializers,
    inputs: [{ name: 'x', type: 'float32', shape: [batch, layer.inputs, side, side] }],
    outputs: [{ name, type: 'float32', shape: [batch, layer.filters] }],
  });
}

/** @type {Record<string, (graph: Graph, x: Float32Array) => Promise<Loaded>>} */
const RUNTIMES = {
  async onnxruntime(graph, x) {
    const { Tensor } = await onnxRuntime();
    const extra = { optimization: { disable_specified_optimizers: 'ConstantFolding' } };
    const session = await createSession(graph, { intraOpNumThreads: 1, enableMemPattern: false, extra });
    const feeds = { x: new Tensor('float32', x, /** @type {number[]} */ (graph.inputs[0]?.shape)) };
    const name = String(graph.outputs[0]?.name);
    return {
      run: async () => /** @type {Float32Array} */ ((await session.run(feeds))[name]?.data),
      release: () => session.release(),
    };
  },
  async openvino(graph, x) {
    const openVino = await requireOpenVino();
    const core = openVino.createCore();
    const settings = { INFERENCE_PRECISION_HINT: 'f32', INFERENCE_NUM_THREADS: '1', NUM_STREAMS: '1' };
    for (const [key, value] of Object.entries(settings)) openVino.setProperty(core, key, value);
    const compiled = await compile(openVino, core, modelOfGraph(graph));
    const layout = { imageBytes: x.byteLength, outputs: graph.outputs.map(({ name }) => name) };
    const queue = requestQueue(openVino, compiled, layout, 1);
    const bytes = new Uint8Array(x.buffer);
    return {
      run: () =>
        new Promise((done, failed) => queue.infer(bytes, ([y]) => done(Float32Array.from(y ?? []))).catch(failed)),
      async release() {
        queue.free();
        openVino.freeCompiled(compiled);
        openVino.freeCore(core);
      },
    };
  },
};

/** Least processor milliseconds of a run. */
async function least(/** @type {Loaded} */ { run }) {
  let best = Infinity;
  const end = performance.now() + Number(values.seconds) * 1000;
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const batches = values.batch.map(Number);
for (const runtime of values.runtime) {
  const load = RUNTIMES[runtime];
  if (load === undefined) throw new Error(`--runtime is one of ${Object.keys(RUNTIMES).join(', ')}`);
  console.log(
    `| ${runtime}: processor ms an image, direct / Winograd | ${batches.map((n) => `${n} at once`).join(' | ')} |`,
  );
  console.log(`|---|${batches.map(() => '---').join('|')}|`);
  let side = CONTRACTS.keras.size;
  for (const [i, layer] of vgg16.layers.entries()) {
    if (layer.kind === 'maxPool') side /= 2;
    if (layer.kind === 'maxPool' || i === 0) continue;
    const cells = [];
    for (const batch of batches) {
      const x = Float32Array.from({ length: batch * layer.inputs * side * side }, (_, k) => ((k * 7919) % 1009) / 1009);
      const direct = await load(graphOf(layer, side, batch), x);
      const winograd = await load(graphOf(layer, side, batch, true), x);
      const [a, b] = [await direct.run(), await winograd.run()];
      const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (a.some((value, k) => !(Math.abs(value - Number(b[k])) <= 1e-4 * largest)))
        throw new Error(`${layer.name} differs`);
      const times = [await least(direct), await least(winograd)];
      cells.push(times.map((ms) => (ms / batch).toFixed(1)).join(' / '));
      await direct.release();
      await winograd.release();
    }
    console.log(`| ${layer.name} | ${cells.join(' | ')} |`);
  }
}
