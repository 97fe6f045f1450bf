import { PermafrostError } from '../../core/errors.ts';
import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import { GEM } from '../../core/sample.ts';
import type { GraphCut } from '../backbones/backbone.ts';
import type { Output } from '../program.ts';
import type { AddedPart } from './pixel-front.ts';

const FLOAT32 = 1;
/** From here on Clip takes its bounds as inputs, before as attributes. */
const CLIP_BY_INPUTS = 11;

function refuse(message: string): never {
  throw new PermafrostError('OPTION_INVALID', message);
}

/** A chain of operators from a cut to an output, being written. */
interface Chain {
  /** Adds an operator that reads the last tensor and constants. */
  add(op: string, attributes?: OnnxNode['attributes'], ...constants: readonly Omit<OnnxTensor, 'name'>[]): Chain;
  /** Multiplies the last tensor by one before it, `back` operators earlier; 0: by itself. */
  times(back: number): Chain;
  /** All of it, the last output under this name. */
  end(name: string): AddedPart;
}

function chain(from: string, prefix: string): Chain {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const last = (back = 0): string => nodes[nodes.length - 1 - back]?.outputs[0] ?? from;
  const push = (op: string, inputs: readonly string[], attributes: OnnxNode['attributes'] = {}): void => {
    nodes.push({ op, inputs, outputs: [`${prefix}${nodes.length}`], attributes });
  };
  const self: Chain = {
    add(op, attributes, ...constants) {
      const names = constants.map((_, i) => `${prefix}${nodes.length}/constant${i}`);
      constants.forEach((constant, i) => initializers.push({ ...constant, name: names[i]! }));
      push(op, [last(), ...names], attributes);
      return self;
    },
    times(back) {
      push('Mul', [last(), last(back)]);
      return self;
    },
    end(name) {
      const final = nodes.pop()!;
      return { nodes: [...nodes, { ...final, outputs: [name] }], initializers };
    },
  };
  return self;
}

const scalar = (value: number): Omit<OnnxTensor, 'name'> => ({ shape: [], data: Float32Array.of(value) });

/** Pooling of a map in NCHW. */
function ofMap(map: Chain, { cut, pooling }: Output, opset: number): Chain {
  switch (pooling) {
    case 'flatten':
      return map.add('Transpose', { perm: [0, 2, 3, 1] });
    case 'avg':
      return map.add('GlobalAveragePool');
    case 'max':
      return map.add('GlobalMaxPool');
    case 'gem': {
      const clipped =
        opset >= CLIP_BY_INPUTS
          ? map.add('Clip', {}, scalar(GEM.least))
          : map.add('Clip', { min: { float: GEM.least } });
      // The cube by products: runtimes take Pow of a map by the logarithm.
      return clipped
        .times(0)
        .times(1)
        .add('GlobalAveragePool')
        .add('Pow', {}, scalar(1 / GEM.exponent));
    }
    case 'cls':
      return refuse(`${cut} has no class token, so there is no ${cut}:cls. Take avg, max or flatten.`);
  }
}

/** Pooling of tokens (batch, token, channel); means and maxima are over the patches. */
function ofTokens(tokens: Chain, { shape: { width: count, prefix } }: GraphCut, { cut, pooling }: Output): Chain {
  if (pooling === 'flatten') return tokens;
  if (pooling === 'gem') {
    return refuse(
      `${cut} is a list of tokens, whose values may be negative: gem is of maps alone. Take avg, max or flatten.`,
    );
  }
  if (prefix === undefined) {
    return refuse(
      `${cut} has ${count} tokens, which is no square and no square and one: how many of the first are no patches must be said (prefix in backbone.json). Without it there is flatten alone.`,
    );
  }
  if (pooling === 'cls') {
    if (prefix === 0) return refuse(`${cut} has no class token, so there is no ${cut}:cls. Take avg, max or flatten.`);
    return tokens.add('Gather', { axis: 1 }, { shape: [1], data: BigInt64Array.of(0n) });
  }
  const patches = Array.from({ length: count - prefix }, (_, i) => BigInt(prefix + i));
  const ofPatches =
    prefix === 0
      ? tokens
      : tokens.add('Gather', { axis: 1 }, { shape: [patches.length], data: BigInt64Array.from(patches) });
  // (batch, channel, patch): pools of one spatial axis mean the same in every opset, reductions do not.
  return ofPatches.add('Transpose', { perm: [0, 2, 1] }).add(pooling === 'avg' ? 'GlobalAveragePool' : 'GlobalMaxPool');
}

/**
 * An output of a cut: features (batch, width) in float32 under `name`; flatten in NHWC order. Operators whose form is
 * the same from opset 7 on, as the file's own opset decides. Throws OPTION_INVALID for a pooling that the cut has not.
 */
export function poolingBehind(output: Output, cut: GraphCut, name: string, prefix: string, opset: number): AddedPart {
  const values = chain(output.cut, prefix).add('Cast', { to: FLOAT32 });
  const { axes } = cut;
  const { pooling } = output;
  const flat = { axis: 1 };
  if (axes === 'tokens') return ofTokens(values, cut, output).add('Flatten', flat).end(name);
  if (axes === 'vector') {
    if (pooling === 'gem' || pooling === 'cls') {
      refuse(`${output.cut} is a vector: ${pooling} is of ${pooling === 'cls' ? 'tokens' : 'maps'}. Take avg.`);
    }
    return values.add('Flatten', flat).end(name);
  }
  // A map in NHWC lies as flatten is.
  if (axes === 'NHWC' && pooling === 'flatten') return values.add('Flatten', flat).end(name);
  const map = axes === 'NHWC' ? values.add('Transpose', { perm: [0, 3, 1, 2] }) : values;
  return ofMap(map, output, opset).add('Flatten', flat).end(name);
}
