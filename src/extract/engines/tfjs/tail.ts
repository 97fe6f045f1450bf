import { PermafrostError } from '../../../core/errors.ts';
import type { Layer } from '../../backbones/backbone.ts';
import type { TailProgram } from '../../training.ts';
import type { Tensor, Tf } from './tensors.ts';

/** Parameters of a tail by name, as TailArrays. */
export type TailTensors = ReadonlyMap<string, Tensor>;

/** Below it a row's length is not what divides: such a row stays near zero, and its gradient is zero and not NaN. */
const LEAST_SQUARED_LENGTH = 1e-24;

function layerOf(tf: Tf, layer: Layer, x: Tensor, parameters: TailTensors): Tensor {
  if (layer.kind === 'maxPool') return tf.maxPool(x, 2, 2, 'valid');
  const filter = parameters.get(`${layer.name}/kernel`)!;
  const bias = parameters.get(`${layer.name}/bias`)!;
  return tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation: 'relu' });
}

/** What the dense layer reads, before its norm: pooled rows (batch, width) of the activations `x` of the cut. */
export function tailFeatures(tf: Tf, { layers, head, batch }: TailProgram, x: Tensor, parameters: TailTensors): Tensor {
  const map = layers.reduce((input, layer) => layerOf(tf, layer, input, parameters), x);
  return head.pooling === 'avg' ? tf.mean(map, [1, 2]) : tf.reshape(map, [batch, -1]);
}

/** Logits (batch, classes) of pooled rows. */
export function tailLogits(tf: Tf, { head }: TailProgram, features: Tensor, parameters: TailTensors): Tensor {
  let rows = features;
  if (head.norm === 'l2') {
    const squared = tf.sum(tf.square(features), [1], true);
    const least = tf.tensor(Float32Array.of(LEAST_SQUARED_LENGTH), [], 'float32');
    rows = tf.div(features, tf.sqrt(tf.maximum(squared, least)));
  }
  return tf.add(tf.matMul(rows, parameters.get('head/kernel')!), parameters.get('head/bias')!);
}

/** -sum(y * log softmax(logits)), a scalar. */
export function tailLoss(tf: Tf, logits: Tensor, y: Tensor): Tensor {
  return tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(logits))));
}

/** Shape of each parameter by name, in the order of TailArrays. Throws OPTION_INVALID for layers that do not fit. */
export function tailShapes({ layers, input, head }: TailProgram): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  let { height, width, channels } = input;
  for (const layer of layers) {
    if (layer.kind === 'maxPool') {
      height = Math.floor(height / 2);
      width = Math.floor(width / 2);
      continue;
    }
    if (layer.inputs !== channels) {
      throw new PermafrostError(
        'OPTION_INVALID',
        `${layer.name} takes ${layer.inputs} channels, what comes before it gives ${channels}.`,
      );
    }
    channels = layer.filters;
    shapes.set(`${layer.name}/kernel`, [3, 3, layer.inputs, layer.filters]).set(`${layer.name}/bias`, [layer.filters]);
  }
  if (height < 1 || width < 1) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `An input of ${input.height} x ${input.width} is too small: the pooling layers halve it until nothing is left.`,
    );
  }
  const columns = head.pooling === 'avg' ? channels : height * width * channels;
  return shapes.set('head/kernel', [columns, head.classes]).set('head/bias', [head.classes]);
}
