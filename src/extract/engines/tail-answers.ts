import type { OnnxGraph } from '../../core/onnx-model.ts';
import { createSession, onnxRuntime } from '../../core/onnxruntime.ts';
import type { Contract } from '../../core/contract.ts';
import type { BackboneWeights } from '../backbones/backbone.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import { floatLayer } from '../graph/float-layers.ts';
import type { TailProgram } from '../training.ts';

/** The last map of a tail, (batch, width) in NHWC order, for `x`, (batch, height, width, channels). */
export interface TailMaps {
  readonly x: Float32Array;
  readonly features: Float32Array;
  run(): Promise<void>;
  dispose(): Promise<void>;
}

/** A tail with constant weights on ONNX Runtime. */
export async function loadTailMaps(
  { layers, input, batch }: Pick<TailProgram, 'layers' | 'input' | 'batch'>,
  weights: BackboneWeights,
): Promise<TailMaps> {
  const { height, width, channels } = input;
  // The contract is read by the first layer of a network alone, which a tail has not.
  const backbone = { name: 'tail', layers };
  const program = { backbone: { name: 'tail', layers: [] }, weights, contract: {} as Contract, outputs: [] };
  const parts = layers.map((layer, i) => floatLayer(layer, layers[i - 1]?.name ?? 'nchw', program));
  const last = layers.at(-1)!.name;
  const firstConv = layers.find((layer) => layer.kind === 'conv');
  const out = outputShape(backbone, last, height);
  const filters = firstConv === undefined ? channels : out.channels;
  const shape = { ...out, channels: filters };
  const graph: OnnxGraph = {
    name: 'tail',
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['nchw'], attributes: { perm: [0, 3, 1, 2] } },
      ...parts.flatMap(({ nodes }) => nodes),
      { op: 'Transpose', inputs: [last], outputs: ['features'], attributes: { perm: [0, 2, 3, 1] } },
    ],
    initializers: parts.flatMap(({ initializers }) => initializers),
    inputs: [{ name: 'x', type: 'float32', shape: [batch, height, width, channels] }],
    outputs: [{ name: 'features', type: 'float32', shape: [batch, shape.height, shape.width, filters] }],
  };
  const runtime = await onnxRuntime();
  const session = await createSession(graph);
  const x = new Float32Array(batch * height * width * channels);
  const features = new Float32Array(batch * featureWidth(shape, 'flatten'));
  const feeds = { x: new runtime.Tensor('float32', x, [batch, height, width, channels]) };
  return {
    x,
    features,
    async run() {
      const { features: found } = await session.run(feeds);
      features.set(found!.data as Float32Array);
    },
    dispose: () => session.release(),
  };
}
