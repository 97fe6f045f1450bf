import { GEM } from '../../../core/sample.ts';
import type { MapPooling } from '../../backbones/cut-layers.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { mapToNhwc, type PixelMap } from './pixel-map.ts';

/** A map pooled: features (batch, width); flatten in NHWC order, as Keras. Its rows of no pixel must be zero. */
export function pooledRows(g: GraphBuilder, map: PixelMap, pooling: MapPooling): string {
  const { height, width } = map.arrangement;
  if (pooling === 'flatten') return g.reshape(mapToNhwc(g, map), [-1, height * width * map.channels]);
  const mean = (tensor: string): string => g.op('Mul', [g.sum(tensor, [0]), g.float(1 / (height * width))]);
  if (pooling === 'avg') return mean(map.tensor);
  if (pooling === 'gem') {
    // Of rows of no pixel the cube of the least value is added: 1e-18.
    const clipped = g.op('Clip', [map.tensor, g.float(GEM.least)]);
    const cubes = g.op('Mul', [g.op('Mul', [clipped, clipped]), clipped]);
    return g.op('Pow', [mean(cubes), g.float(1 / GEM.exponent)]);
  }
  // Behind a ReLU nothing is below the rows of zeros.
  return g.op('ReduceMax', [map.tensor], { axes: [0], keepdims: 0 });
}
