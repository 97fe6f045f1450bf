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
