import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import { GEM, type Pooling } from '../../core/sample.ts';
import type { ActivationShape, GraphCut } from '../backbones/backbone.ts';
import { mapPooling, requireGraphPooling, type MapPooling } from '../backbones/cut-layers.ts';
import type { Output } from '../program.ts';
import type { AddedPart } from './pixel-front.ts';

const FLOAT32 = 1;
/** From here on Clip takes its bounds as inputs, before as attributes. */
const CLIP_BY_INPUTS = 11;

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

/** Of an image that is given several times, what the network says of the first. */
const FIRST_ROW = { shape: [1], data: BigInt64Array.of(0n) };

const scalar = (value: number): Omit<OnnxTensor, 'name'> => ({ shape: [], data: Float32Array.of(value) });

/** Pooling of a map in NCHW. */
function ofMap(map: Chain, pooling: MapPooling, opset: number): Chain {
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
  }
}

/**
 * Pooling of tokens (batch, token, channel), of which `prefix` are no patches; means and maxima are over the patches.
 */
function ofTokens(tokens: Chain, { width: count, prefix = 0 }: ActivationShape, pooling: Pooling): Chain {
  if (pooling === 'flatten') return tokens;
  const some = (from: number, to: number): Chain => {
    const indices = Array.from({ length: to - from }, (_, i) => BigInt(from + i));
    return tokens.add('Gather', { axis: 1 }, { shape: [indices.length], data: BigInt64Array.from(indices) });
  };
  if (pooling === 'cls') return some(0, 1);
  const patches = prefix === 0 ? tokens : some(prefix, count);
  // (batch, channel, patch): pools of one spatial axis mean the same in every opset, reductions do not.
  return patches.add('Transpose', { perm: [0, 2, 1] }).add(pooling === 'avg' ? 'GlobalAveragePool' : 'GlobalMaxPool');
}

/**
 * An output of a cut: features (batch, width) in float32 under `name`; flatten in NHWC order. Operators whose form is
 * the same from opset 7 on, as the file's own opset decides. `repeats`: rows that the cut has of each image. Throws
 * OPTION_INVALID for a pooling that the cut has not.
 */
export function poolingBehind(
  output: Output,
  cut: GraphCut,
  name: string,
  prefix: string,
  { opset, repeats = 1 }: { readonly opset: number; readonly repeats?: number | undefined },
): AddedPart {
  requireGraphPooling(cut, output);
  const { axes, shape } = cut;
  const { pooling } = output;
  const given = chain(output.cut, prefix);
  const one = repeats === 1 ? given : given.add('Gather', { axis: 0 }, FIRST_ROW);
  const values = one.add('Cast', { to: FLOAT32 });
  const flattened = (pooled: Chain): AddedPart => pooled.add('Flatten', { axis: 1 }).end(name);
  if (axes === 'tokens') return flattened(ofTokens(values, shape, pooling));
  // A map in NHWC lies as flatten is, and of a vector all poolings are the vector.
  if (axes === 'vector' || (axes === 'NHWC' && pooling === 'flatten')) return flattened(values);
  const map = axes === 'NHWC' ? values.add('Transpose', { perm: [0, 3, 1, 2] }) : values;
  return flattened(ofMap(map, mapPooling(output), opset));
}
