import { PermafrostError } from '../../core/errors.ts';
import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import type { LayerProgram } from '../program.ts';

/** Some nodes of a graph and the constants that they read. */
export interface GraphPart {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

/** The values of a layer's tensor. Throws WEIGHTS_MISMATCH where the weights are those of another backbone. */
export function weightsOf({ backbone, weights }: LayerProgram, name: string, length: number): Float32Array {
  const data = weights.tensors.get(name)?.data;
  if (data?.length !== length) {
    throw new PermafrostError(
      'WEIGHTS_MISMATCH',
      `${backbone.name} needs ${length} values for ${name}, the weights have ${data?.length ?? 'none'}. Load weights for this backbone.`,
    );
  }
  return data;
}
