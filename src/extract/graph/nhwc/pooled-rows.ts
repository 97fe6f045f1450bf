import type { Pooling } from '../../../core/sample.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { mapToNhwc, type PixelMap } from './pixel-map.ts';

/** A map pooled: features (batch, width); flatten in NHWC order, as Keras. Its rows of no pixel must be zero. */
export function pooledRows(g: GraphBuilder, map: PixelMap, pooling: Pooling): string {
  const { height, width } = map.arrangement;
  if (pooling === 'flatten') return g.reshape(mapToNhwc(g, map), [-1, height * width * map.channels]);
  if (pooling === 'avg') return g.op('Mul', [g.sum(map.tensor, [0]), g.float(1 / (height * width))]);
  // Behind a ReLU nothing is below the rows of zeros.
  return g.op('ReduceMax', [map.tensor], { axes: [0], keepdims: 0 });
}
