import type { SweepChoices } from '../api/studio-sweep.ts';
import { HEADS, HEAD_NAMES } from '../../classify/heads/index.ts';
import { NORMALIZATIONS } from '../../classify/normalize.ts';
import { storedViews } from '../../store/read/stored-networks.ts';
import { poolingChoicesOf } from '../../store/read/stored-parts.ts';
import { SWEEP_AXES } from '../../workflows/sweep/axes.ts';
import { DEFAULT_GRID, FEATURE_AXIS_NAMES } from '../../workflows/sweep/default-grid.ts';
import type { SweepGrid } from '../../workflows/sweep/grid.ts';
import { SWEEP_DEFAULTS } from '../../workflows/sweep/options.ts';
import type { Snapshot } from './snapshot.ts';

/** DEFAULT_GRID's values of an option, head by head. */
function defaultValues(option: string): string {
  const lists = new Map<string, Set<string>>();
  for (const { head, ...entry } of DEFAULT_GRID.heads) {
    const values = (entry as Readonly<Record<string, readonly unknown[]>>)[option];
    if (values === undefined) continue;
    const list = lists.get(head) ?? new Set<string>();
    for (const value of values) list.add(String(value));
    lists.set(head, list);
  }
  return [...lists].map(([head, values]) => `${head} ${[...values].join(',')}`).join('; ');
}

/** The value of the axis `cut` for the deepest cut of each network, all side by side. */
const SIDE_BY_SIDE = 'all side by side';

/** A grid with the cuts in place of that word: in a list of words, no value holds several. */
export function withSideBySide(grid: SweepGrid, { networks }: Snapshot): SweepGrid {
  if (grid.cut === undefined) return grid;
  const all = networks.map(({ sets }) => sets[0].name).join(',');
  return { ...grid, cut: [grid.cut].flat().map((cut) => (cut === SIDE_BY_SIDE ? all : cut)) };
}

/** What a sweep of a snapshot can be asked for, from the tables that the command line reads. */
export function sweepChoices({ store, networks, features }: Snapshot): SweepChoices {
  const cuts = networks.flatMap(({ sets }) => sets.map(({ name }) => name));
  const poolings = poolingChoicesOf(features);
  const some = <T extends string>(values: readonly T[], chosen: readonly string[]) =>
    values.map((value) => ({ value, chosen: chosen.includes(value) }));
  const swept = DEFAULT_GRID.heads.map(({ head }) => head as string);
  const isFeatures = (name: string): boolean => (FEATURE_AXIS_NAMES as readonly string[]).includes(name);
  return {
    heads: HEAD_NAMES.map((name) => ({
      name,
      describe: HEADS[name].describe,
      options: Object.keys(HEADS[name].options).filter((key) => Object.hasOwn(SWEEP_AXES, key)),
      chosen: swept.includes(name),
    })),
    cut: cuts.length === 1 ? [] : some(networks.length === 1 ? cuts : [...cuts, SIDE_BY_SIDE], [features.name]),
    pooling: some(poolings, DEFAULT_GRID.pooling),
    normalize: some(NORMALIZATIONS, DEFAULT_GRID.normalize),
    pca: { describe: SWEEP_AXES.pca!.describe, values: DEFAULT_GRID.pca.join(',') },
    views:
      storedViews(store, [features.name]) === 0
        ? null
        : { describe: SWEEP_AXES.views!.describe, values: DEFAULT_GRID.views.join(',') },
    options: Object.entries(SWEEP_AXES)
      .filter(([name]) => name !== 'head' && !isFeatures(name))
      .map(([name, { describe }]) => ({ name, describe, values: defaultValues(name) })),
    folds: SWEEP_DEFAULTS.folds,
    score: SWEEP_DEFAULTS.score,
  };
}
