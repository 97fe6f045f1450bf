import { PermafrostError } from '../../core/errors.ts';
import { stringOption, type OptionTable } from '../../core/options.ts';
import { suggest } from '../../core/suggest.ts';
import { headEntry, HEADS, HEAD_NAMES } from '../../classify/heads/index.ts';
import { DEFAULT_GRID, FEATURE_AXIS_NAMES } from './default-grid.ts';
import type { SweepGrid, SweepGridHead } from './grid.ts';
import { SWEEP_OPTIONS } from './options.ts';

/** Options of heads with a flag of values. Lists (`alphas`, `gammas`) and `seed` stand in grid files only. */
const HEAD_OPTIONS: OptionTable = Object.fromEntries(
  Object.values(HEADS)
    .flatMap(({ options }) => Object.entries(options as OptionTable))
    .filter(([key]) => !['alphas', 'gammas'].includes(key) && !Object.hasOwn(SWEEP_OPTIONS, key)),
);

const DEFAULT_HEADS = [...new Set(DEFAULT_GRID.heads.map(({ head }) => head))];

/** Axes of a grid as options that take values with commas between them; empty: as in DEFAULT_GRID. */
export const SWEEP_AXES: OptionTable = {
  head: stringOption('', `heads, such as logistic,knn; by default ${DEFAULT_HEADS.join(',')}`),
  cut: stringOption(
    '',
    'cut layers, each by itself; by default the deepest that was extracted, of several backbones that of each and all side by side (side by side: in a grid file)',
  ),
  pooling: stringOption('', `features, such as avg,avg+max,gem,flatten; by default ${DEFAULT_GRID.pooling.join(',')}`),
  normalize: stringOption(
    '',
    `normalisations, such as l2,sqrt,standard,power,none; by default ${DEFAULT_GRID.normalize.join(',')}`,
  ),
  pca: stringOption('', `numbers of principal components, 0 for none; by default ${DEFAULT_GRID.pca.join(',')}`),
  views: stringOption(
    '',
    `numbers of stored views of each training image to train on too, 0 for none; by default ${DEFAULT_GRID.views.join(',')}`,
  ),
  ...Object.fromEntries(
    Object.keys(HEAD_OPTIONS).map((key) => {
      const takers = HEAD_NAMES.filter((name) => Object.hasOwn(HEADS[name].options, key));
      return [key, stringOption('', `values for ${takers.join(', ')}`)];
    }),
  ),
};

/**
 * The grid of axes of SWEEP_AXES; undefined where none is given. An option's values go to every listed head that has
 * it; for other options a head keeps DEFAULT_GRID's values. Throws OPTION_INVALID for an unknown head, an option that
 * no listed head has, and text where a number is expected.
 */
export function gridOfAxes(axes: Readonly<Record<string, string | undefined>>): SweepGrid | undefined {
  const given = Object.entries(axes).filter(
    (axis): axis is [string, string] => axis[1] !== undefined && axis[1] !== '',
  );
  if (given.length === 0) return undefined;
  const listed = (key: string): string[] | undefined => {
    const text = given.find(([name]) => name === key)?.[1];
    return text === undefined ? undefined : wordsOf(text);
  };
  const heads = listed('head') ?? DEFAULT_HEADS;
  const options = given.filter(([key]) => key !== 'head' && !(FEATURE_AXIS_NAMES as readonly string[]).includes(key));
  for (const [key] of options) {
    if (heads.some((head) => Object.hasOwn(headEntry(head).options, key))) continue;
    throw new PermafrostError(
      'OPTION_INVALID',
      Object.hasOwn(HEAD_OPTIONS, key)
        ? `None of the heads ${heads.join(', ')} has the option "${key}". Add a head that has it with --head.`
        : `sweep has no option "${key}"${suggest(key, Object.keys(SWEEP_AXES))}.`,
    );
  }
  const grid: Record<string, unknown> = { heads: heads.flatMap((head) => entriesOf(head, options)) };
  for (const name of FEATURE_AXIS_NAMES) {
    const values = listed(name);
    if (values !== undefined)
      grid[name] = name === 'pca' || name === 'views' ? values.map((word) => numberOf(name, word)) : values;
  }
  return grid;
}

/** DEFAULT_GRID's entries of a head, or one with its defaults, with the given options over them. */
function entriesOf(head: string, options: readonly (readonly [string, string])[]): SweepGridHead[] {
  const table = headEntry(head).options;
  const own = options
    .filter(([key]) => Object.hasOwn(table, key))
    .map(([key, text]) => {
      const { kind } = table[key]!;
      return [key, kind === 'number' ? wordsOf(text).map((word) => numberOf(key, word)) : wordsOf(text)] as const;
    });
  const defaults: readonly SweepGridHead[] = DEFAULT_GRID.heads
    .filter((entry) => entry.head === head)
    .map((entry) => entry as unknown as SweepGridHead);
  return (defaults.length === 0 ? [{ head }] : defaults).map((entry) => ({ ...entry, ...Object.fromEntries(own) }));
}

const wordsOf = (text: string): string[] => text.split(',').map((word) => word.trim());

function numberOf(key: string, word: string): number {
  const value = Number(word);
  if (word !== '' && !Number.isNaN(value)) return value;
  throw new PermafrostError('OPTION_INVALID', `${key} takes numbers with commas between them, got "${word}".`);
}
