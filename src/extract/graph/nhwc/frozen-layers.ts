import type { Layer } from '../../backbones/backbone.ts';
import { mapPooling } from '../../backbones/cut-layers.ts';
import { weightsOf, type GraphPart } from '../graph-part.ts';
import { outputName, type LayerProgram } from '../../program.ts';
import { plainArrangement, type MapSize } from './arrangement.ts';
import { graphBuilder, type GraphBuilder } from './graph-builder.ts';
import { maxPool } from './max-pool.ts';
import type { PixelMap } from './pixel-map.ts';
import { pooledRows } from './pooled-rows.ts';
import { winogradInStrips } from './winograd-strips.ts';

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

/** How frozen layers on pixel rows are built. */
export interface FrozenChoices {
  /** Bytes that the transformed tiles of a strip may take in a batch of `batch` images. */
  readonly tileBytes: number;
  readonly batch: number;
}

/** The map of each layer by its name, but for convolutions whose pool is all that is asked for. */
function maps(
  g: GraphBuilder,
  layers: readonly Layer[],
  input: NchwMap,
  program: LayerProgram,
  choices: FrozenChoices,
): ReadonlyMap<string, PixelMap> {
  const found = new Map<string, PixelMap>();
  const cuts = new Set(program.outputs.map(({ cut }) => cut));
  const weights = (name: string, shape: readonly number[]): string => {
    const length = shape.reduce((product, size) => product * size, 1);
    return g.constant(name, shape, () => weightsOf(program, name, length));
  };
  let map = mapFromNchw(g, input);
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!;
    let { name } = layer;
    if (layer.kind === 'maxPool') {
      map = maxPool(g, map).y;
    } else {
      const { inputs, filters } = layer;
      const next = layers[i + 1];
      const pools = next?.kind === 'maxPool' && !cuts.has(name);
      const kernel = weights(`${name}/kernel`, [3, 3, inputs, filters]);
      const bias = weights(`${name}/bias`, [filters]);
      map = winogradInStrips(g, map, { kernel, bias, filters }, { ...choices, pools, zeros: next?.kind === 'conv' });
      if (pools) ({ name } = layers[++i]!);
    }
    found.set(name, map);
  }
  return found;
}

/**
 * The layers of a frozen network from a tensor of its own on, on pixel rows with the convolutions by Winograd's minimal
 * filtering, and those of the program's outputs that they give. float32, any batch. Throws WEIGHTS_MISMATCH.
 */
export function frozenLayers(
  layers: readonly Layer[],
  input: NchwMap,
  program: LayerProgram,
  choices: FrozenChoices,
): GraphPart {
  const g = graphBuilder();
  const byName = maps(g, layers, input, program, choices);
  for (const output of program.outputs) {
    const map = byName.get(output.cut);
    if (map !== undefined) g.output(outputName(output), pooledRows(g, map, mapPooling(output)), []);
  }
  return g.graph(program.backbone.name);
}
