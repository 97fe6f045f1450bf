import { type Matrix, matrix } from '../../core/matrix.ts';
import type { Random } from '../../core/random.ts';
import { times, timesTransposed, transposedTimes } from '../linalg/times.ts';
import { columnSums, shiftRows } from '../linalg/vectors.ts';

/** A dense layer, class-major: its outputs are X · weightsᵀ + bias. */
export interface Dense {
  /** Shape (outputs, inputs). */
  readonly weights: Matrix;
  /** Shape (outputs). */
  readonly bias: Float32Array;
}

/** Dense layers in order, with a ReLU between them: one is softmax regression, two have a hidden layer. */
export type Network = readonly Dense[];

/** Glorot and Bengio's (2010) uniform initialisation, bound sqrt(6 / (inputs + outputs)), zero bias: Keras' Dense. */
export function glorotUniform(inputs: number, outputs: number, source: Random): Dense {
  const bound = Math.sqrt(6 / (inputs + outputs));
  const data = Float32Array.from({ length: outputs * inputs }, () => (2 * source.uniform() - 1) * bound);
  return { weights: matrix(outputs, inputs, data), bias: new Float32Array(outputs) };
}

/** The arrays that are trained, in the order of `slopes`. */
export function parametersOf(network: Network): Float32Array[] {
  return network.flatMap(({ weights, bias }) => [weights.data, bias]);
}

/** The network with other arrays, in the order of `parametersOf`. */
export function withParameters(network: Network, parameters: readonly Float32Array[]): Network {
  return network.map(({ weights: { rows, cols } }, i) => ({
    weights: matrix(rows, cols, parameters[2 * i] as Float32Array<ArrayBuffer>),
    bias: parameters[2 * i + 1]!,
  }));
}

export function copyOf(network: Network): Network {
  return withParameters(
    network,
    parametersOf(network).map((values) => values.slice()),
  );
}

/** The input of each layer and the logits of the last, shape (n, k). */
export interface Forward {
  readonly inputs: readonly Matrix[];
  readonly logits: Float64Array;
}

/** Logits of the rows of X (n, d). */
export async function forward(network: Network, X: Matrix): Promise<Forward> {
  const inputs = [X];
  for (const [at, layer] of network.entries()) {
    const out = await timesTransposed(inputs[at]!, layer.weights);
    if (at === network.length - 1) {
      const logits = shiftRows(new Float64Array(out.data), new Float64Array(layer.bias), 1);
      return { inputs, logits };
    }
    const k = layer.bias.length;
    for (let i = 0; i < out.data.length; i++) {
      out.data[i] = Math.max(0, out.data[i]! + layer.bias[i % k]!);
    }
    inputs.push(out);
  }
  throw new Error('A network has at least one layer.');
}

/** The derivative of the loss by each parameter, from its derivative R by the logits (n, k). */
export async function slopes(network: Network, { inputs }: Forward, R: Float64Array): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  const rows = inputs[0]!.rows;
  let errors = matrix(rows, network.at(-1)!.bias.length, new Float32Array(R));
  for (let at = network.length - 1; at >= 0; at--) {
    const input = inputs[at]!;
    const weights = (await transposedTimes(errors, input)).data;
    found.unshift(weights, new Float32Array(columnSums(new Float64Array(errors.data), errors.cols)));
    if (at === 0) break;
    const back = await times(errors, network[at]!.weights);
    for (let i = 0; i < back.data.length; i++) if (input.data[i] === 0) back.data[i] = 0;
    errors = matrix(rows, input.cols, back.data as Float32Array<ArrayBuffer>);
  }
  return found;
}
