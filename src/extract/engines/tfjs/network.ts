import { setImmediate as turn } from 'node:timers/promises';
import { rgbArithmetic } from '../../../core/contract.ts';
import { matrix, type Matrix } from '../../../core/matrix.ts';
import { GEM } from '../../../core/sample.ts';
import type { Layer } from '../../backbones/backbone.ts';
import { featureWidth, mapPooling, outputShape, type MapPooling } from '../../backbones/cut-layers.ts';
import { weightsOf } from '../../graph/graph-part.ts';
import { neededLayers } from '../../graph/needed-layers.ts';
import type { TfjsRuntime } from './runtime.ts';
import type { Tensor, Tf } from './tensors.ts';
import type { LayerProgram } from '../../program.ts';

/** A program whose weights lie in the runtime's memory. */
export interface TfjsNetwork {
  readonly infer: (pixels: Uint8Array, count: number) => Promise<readonly Matrix[]>;
  readonly release: () => void;
}

type Apply = (input: Tensor) => Tensor;

/** NHWC activation to features (count, width). */
function pool(tf: Tf, x: Tensor, pooling: MapPooling, width: number): Tensor {
  switch (pooling) {
    case 'flatten':
      return tf.reshape(x, [-1, width]);
    case 'avg':
      return tf.mean(x, [1, 2]);
    case 'max':
      return tf.max(x, [1, 2]);
    case 'gem': {
      const clipped = tf.maximum(x, GEM.least);
      const mean = tf.mean(tf.mul(tf.mul(clipped, clipped), clipped), [1, 2]);
      return tf.pow(mean, 1 / GEM.exponent);
    }
  }
}

/**
 * The contract's arithmetic and the layers up to the deepest cut, as steps from activation to activation (NHWC, kernels
 * HWIO as stored), with their tensors. For BGR, mean and first kernel are reversed and the channels stay RGB.
 */
function buildSteps(
  tf: Tf,
  program: LayerProgram,
  layers: readonly Layer[],
): { readonly prepare: Apply; readonly steps: readonly Apply[]; readonly kept: readonly Tensor[] } {
  const kept: Tensor[] = [];
  const keep = (tensor: Tensor): Tensor => {
    kept.push(tensor);
    return tensor;
  };
  const { contract } = program;
  const reversed = contract.channelOrder === 'BGR';
  const arithmetic = rgbArithmetic(contract);
  const mean = keep(tf.tensor(Float32Array.from(arithmetic.mean), [3], 'float32'));
  const scale = keep(tf.tensor(Float32Array.from(arithmetic.scale), [3], 'float32'));
  const steps = layers.map((layer, i): Apply => {
    if (layer.kind === 'maxPool') return (x) => tf.maxPool(x, 2, 2, 'valid');
    const { name, inputs, filters } = layer;
    const values = weightsOf(program, `${name}/kernel`, 9 * inputs * filters);
    const stored = tf.tensor(values, [3, 3, inputs, filters], 'float32');
    const filter = keep(i === 0 && reversed ? tf.reverse(stored, 2) : stored);
    const bias = keep(tf.tensor(weightsOf(program, `${name}/bias`, filters), [filters], 'float32'));
    return (x) => tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation: 'relu' });
  });
  return { prepare: (pixels) => tf.mul(tf.sub(pixels, mean), scale), steps, kept };
}

/**
 * Puts a program's weights into the runtime. A run gives JavaScript a turn between layers and frees each activation as
 * soon as the next one is there. Throws OPTION_INVALID and WEIGHTS_MISMATCH as the ONNX graph does.
 */
export function loadNetwork({ tf, run }: TfjsRuntime, program: LayerProgram): TfjsNetwork {
  const { backbone, contract, outputs } = program;
  const { size } = contract;
  const layers = neededLayers(program);
  const widths = outputs.map(({ cut, pooling }) => featureWidth(outputShape(backbone, cut, size), pooling));
  const { prepare, steps, kept } = run(() => buildSteps(tf, program, layers));

  async function read(x: Tensor, pooling: MapPooling, width: number, count: number): Promise<Matrix> {
    const features = run(() => pool(tf, x, pooling, width));
    try {
      return matrix(count, width, await features.data());
    } finally {
      features.dispose();
    }
  }

  return {
    async infer(pixels, count) {
      const results: Matrix[] = [];
      let x = run(() => prepare(tf.tensor(pixels, [count, size, size, 3], 'float32')));
      try {
        for (const [i, step] of steps.entries()) {
          const input = x;
          x = run(() => step(input));
          input.dispose();
          for (const [o, output] of outputs.entries()) {
            if (output.cut === layers[i]!.name) results[o] = await read(x, mapPooling(output), widths[o]!, count);
          }
          await turn();
        }
      } finally {
        x.dispose();
      }
      return results;
    },
    release() {
      for (const tensor of kept) tensor.dispose();
    },
  };
}
