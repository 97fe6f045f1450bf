import type { Layer } from '../../backbones/backbone.ts';
import { outputName } from '../needed-layers.ts';
import { weightsOf, type GraphPart } from '../graph-part.ts';
import type { Program } from '../../program.ts';
import { plainArrangement, type MapSize } from './arrangement.ts';
import { graphBuilder, type GraphBuilder } from './graph-builder.ts';
import { maxPool } from './max-pool.ts';
import type { PixelMap } from './pixel-map.ts';
import { pooledRows } from './pooled-rows.ts';
import { winogradConv } from './winograd-conv.ts';

/** Where the layers of a part begin: a tensor (batch, channels, height, width). */
export interface NchwMap extends MapSize {
  readonly tensor: string;
  readonly channels: number;
}

function mapFromNchw(g: GraphBuilder, { tensor, height, width, channels }: NchwMap): PixelMap {
  const arrangement = plainArrangement({ height, width });
  const turned = g.transpose(tensor, [2, 3, 0, 1]);
  return { tensor: g.reshape(turned, [arrangement.rows, -1, channels]), arrangement, channels };
}

/** The map of each layer by its name. */
function maps(
  g: GraphBuilder,
  layers: readonly Layer[],
  input: NchwMap,
  program: Program,
): ReadonlyMap<string, PixelMap> {
  const found = new Map<string, PixelMap>();
  let map = mapFromNchw(g, input);
  for (const [i, layer] of layers.entries()) {
    const { name } = layer;
    if (layer.kind === 'maxPool') {
      map = maxPool(g, map).y;
    } else {
      const { inputs, filters } = layer;
      const weights = (part: string, shape: readonly number[]): string => {
        const length = shape.reduce((product, size) => product * size, 1);
        return g.constant(`${name}/${part}`, shape, () => weightsOf(program, `${name}/${part}`, length));
      };
      const tensors = { kernel: weights('kernel', [3, 3, inputs, filters]), bias: weights('bias', [filters]), filters };
      map = winogradConv(g, map, tensors, { zeros: layers[i + 1]?.kind === 'conv', keepsTiles: true }).y;
    }
    found.set(name, map);
  }
  return found;
}

/**
 * The layers of a frozen network from a tensor of its own on, on pixel rows with the convolutions by Winograd's minimal
 * filtering, and those of the program's outputs that they give. float32, any batch. Throws WEIGHTS_MISMATCH.
 */
export function frozenLayers(layers: readonly Layer[], input: NchwMap, program: Program): GraphPart {
  const g = graphBuilder();
  const byName = maps(g, layers, input, program);
  for (const output of program.outputs) {
    const map = byName.get(output.cut);
    if (map !== undefined) g.output(outputName(output), pooledRows(g, map, output.pooling), []);
  }
  return g.graph(program.backbone.name);
}
