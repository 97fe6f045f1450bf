import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import type { GraphInput } from '../backbones/backbone.ts';
import { contractInASentence } from '../contract.ts';

/** Operators and constants that are added to a graph. */
export interface AddedPart {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

const FLOAT32 = 1;
const FLOAT16 = 10;

/** The arithmetic of a contract; `scale` and `mean` one a channel. */
function arithmetic({ mean, scale }: Contract): { mean: readonly number[]; scale: readonly number[]; isNone: boolean } {
  const scales = typeof scale === 'number' ? [scale, scale, scale] : scale;
  return { mean, scale: scales, isNone: mean.every((m) => m === 0) && scales.every((s) => s === 1) };
}

function refuseArithmetic(input: { readonly name: string }, contract: Contract): never {
  throw new PermafrostError(
    'CONTRACT_INVALID',
    `The input "${input.name}" takes pixels as bytes: what is done to them is inside the network, so mean must be 0 and scale 1 in ${contractInASentence(contract)}. ` +
      `It has mean (${contract.mean.join(', ')}) and scale ${String(contract.scale)}. Take --contract raw.`,
  );
}

/**
 * Pixels (uint8 RGB, NHWC) to what a graph's input takes, under that input's own name: its layout, channel order and
 * type, and (pixel - mean) * scale in float32; where the file has a batch baked in, the image so often. Inner names
 * begin with `prefix`. Operators of opset 7 and later only.
 * Throws CONTRACT_INVALID where an input of bytes is to be scaled.
 */
export function pixelFront(
  pixels: string,
  input: Omit<GraphInput, 'batch'>,
  contract: Contract,
  prefix: string,
): AddedPart {
  const { layout, dtype, name, repeats = 1 } = input;
  const { mean, scale, isNone } = arithmetic(contract);
  if (dtype === 'uint8' && !isNone) refuseArithmetic(input, contract);
  const isFirst = layout === 'NCHW';
  const shape = isFirst ? [1, 3, 1, 1] : [1, 1, 1, 3];
  const steps: Omit<OnnxNode, 'inputs' | 'outputs'>[] = [];
  const constants: (OnnxTensor | undefined)[] = [];
  const step = (op: string, attributes: OnnxNode['attributes'] = {}, constant?: Omit<OnnxTensor, 'name'>): void => {
    steps.push({ op, attributes });
    constants.push(constant && { ...constant, name: `${prefix}constant${steps.length}` });
  };
  // On bytes, which are a quarter of floats.
  if (isFirst) step('Transpose', { perm: [0, 3, 1, 2] });
  if (contract.channelOrder === 'BGR') {
    step('Gather', { axis: isFirst ? 1 : 3 }, { shape: [3], data: BigInt64Array.of(2n, 1n, 0n) });
  }
  if (dtype !== 'uint8') step('Cast', { to: FLOAT32 });
  if (!isNone) {
    step('Sub', {}, { shape, data: Float32Array.from(mean) });
    step('Mul', {}, { shape, data: Float32Array.from(scale) });
  }
  if (dtype === 'float16') step('Cast', { to: FLOAT16 });
  if (steps.length === 0) step('Identity');
  const last = steps.length - 1;
  const one = repeats === 1 ? name : `${prefix}one`;
  const nodes = steps.map(({ op, attributes }, i) => ({
    op,
    inputs: [i === 0 ? pixels : `${prefix}${i}`, ...(constants[i] === undefined ? [] : [constants[i].name])],
    outputs: [i === last ? one : `${prefix}${i + 1}`],
    attributes: attributes!,
  }));
  const copies = { op: 'Concat', inputs: Array<string>(repeats).fill(one), outputs: [name], attributes: { axis: 0 } };
  return {
    nodes: repeats === 1 ? nodes : [...nodes, copies],
    initializers: constants.filter((constant) => constant !== undefined),
  };
}
