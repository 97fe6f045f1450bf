import { PermafrostError } from '../core/errors.ts';
import type { TailProgram } from './training.ts';

/** Shape of each parameter by name, in the order of TailArrays. */
export type TailShapes = ReadonlyMap<string, readonly number[]>;

function refuse(found: string): never {
  throw new PermafrostError('OPTION_INVALID', found);
}

/** Values of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

/**
 * The parameters of a tail. Throws OPTION_INVALID for a batch or classes that are no counts, layers that do not fit on
 * each other, repeated layers, and an input that pooling leaves nothing of.
 */
export function tailShapes({ layers, input, batch, head }: TailProgram): TailShapes {
  if (!Number.isInteger(batch) || batch < 1) refuse(`A step takes a batch of at least one image, got ${batch}.`);
  if (!Number.isInteger(head.classes) || head.classes < 2) {
    refuse(`Training needs at least two classes, got ${head.classes}.`);
  }
  const shapes = new Map<string, readonly number[]>();
  let { height, width, channels } = input;
  for (const layer of layers) {
    if (layer.kind === 'maxPool') {
      height = Math.floor(height / 2);
      width = Math.floor(width / 2);
      continue;
    }
    if (layer.inputs !== channels) {
      refuse(`${layer.name} takes ${layer.inputs} channels, what comes before it gives ${channels}.`);
    }
    channels = layer.filters;
    const kernel = `${layer.name}/kernel`;
    if (shapes.has(kernel)) refuse(`The layers to train hold ${layer.name} twice.`);
    shapes.set(kernel, [3, 3, layer.inputs, layer.filters]).set(`${layer.name}/bias`, [layer.filters]);
  }
  if (height < 1 || width < 1) {
    refuse(
      `An input of ${input.height} x ${input.width} is too small: the pooling layers halve it until nothing is left.`,
    );
  }
  const columns = head.pooling === 'avg' ? channels : height * width * channels;
  return shapes.set('head/kernel', [columns, head.classes]).set('head/bias', [head.classes]);
}
