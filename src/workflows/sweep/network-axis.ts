import type { Listener } from '../../core/listener.ts';
import { poolingsIn, type PoolingChoice } from '../../core/sample.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import { storedNetworks } from '../../store/read/stored-networks.ts';
import { readFor } from '../../store/read/stored-parts.ts';
import { DEFAULT_GRID } from './default-grid.ts';
import type { OneOrMore, SweepGrid } from './grid.ts';

const asList = <T>(value: OneOrMore<T>): readonly T[] => [value].flat() as T[];

/**
 * A grid that names no cuts, on a store with several networks: then the deepest cut of each is a value of that axis,
 * and all of them side by side. A network that lacks one of the grid's poolings is left out, which is reported.
 */
export function withNetworks(grid: SweepGrid, store: StoreFolder, listener: Listener = {}): SweepGrid {
  const [primary, ...others] = storedNetworks(store);
  if (others.length === 0 || grid.cut !== undefined) return grid;
  const choices: readonly PoolingChoice[] = [
    ...asList<PoolingChoice>(grid.pooling ?? DEFAULT_GRID.pooling),
    ...(grid.heads ?? []).flatMap(({ pooling }) => asList<PoolingChoice>(pooling ?? [])),
  ];
  const names: string[] = [];
  for (const { label, sets } of others) {
    const lacking = choices.flatMap(poolingsIn).find((pooling) => readFor(sets[0], pooling) === undefined);
    if (lacking === undefined) names.push(sets[0].name);
    else
      listener.note?.(
        `${label} is left out of the sweep: ${sets[0].name} was extracted without ${lacking}. Its other features can be swept with --cut ${sets[0].name} and a --pooling of them.`,
      );
  }
  return names.length === 0
    ? grid
    : { ...grid, cut: [primary.sets[0].name, ...names, [primary.sets[0].name, ...names].join(',')] };
}
