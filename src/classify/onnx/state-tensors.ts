import { PermafrostError } from '../../core/errors.ts';
import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import type { HeadState } from '../head.ts';

/** The tensor `name` of a state that was checked when it was loaded. Throws HEAD_CORRUPT. */
export function tensorIn(
  { tensors }: HeadState,
  name: string,
): { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array } {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw new PermafrostError('HEAD_CORRUPT', `The stored head lacks the tensor "${name}". Train it again.`);
}

/** A tensor of a state as a constant of a graph, as it lies. */
export function constantOf(w: GraphWriter, state: HeadState, name: string): string {
  const { shape, data } = tensorIn(state, name);
  return w.constant(shape, data);
}

/** A state inside another one: its tensors are those whose names begin with `prefix`. */
export const innerState = (json: unknown, { tensors }: HeadState, prefix: string): HeadState => ({
  json: (json ?? {}) as HeadState['json'],
  tensors: new Map(
    [...tensors].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])),
  ),
});
