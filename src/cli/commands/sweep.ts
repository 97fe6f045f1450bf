import { integerOption, pick, resolveOptions, stringOption } from '../../core/options.ts';
import { sweepText } from '../../report/sweep-report.ts';
import { gridOfAxes, SWEEP_AXES } from '../../workflows/sweep/axes.ts';
import { DEFAULT_GRID } from '../../workflows/sweep/default-grid.ts';
import { SWEEP_OPTIONS } from '../../workflows/sweep/options.ts';
import { type CommandSpec } from '../program.ts';

const TABLE_OPTIONS = {
  top: integerOption(15, 'candidates shown in the table; --json has them all', { min: 1 }),
  grid: stringOption('', 'a JSON file with the grid (docs/sweep.md), in place of the flags that list values'),
} as const;

export const sweepCommand: CommandSpec = {
  name: 'sweep',
  summary: 'cross-validate a grid of heads on stored features, on all processors; resumes and skips what it knows',
  arguments: [['<store>', 'a store that extract or run made']],
  options: { ...SWEEP_OPTIONS, ...TABLE_OPTIONS, ...SWEEP_AXES },
  more: `Flags that list values take them with commas: --head logistic,knn --C 0.1,1,10 --pca 0,64. Every combination is tried.\nThe grid where nothing is listed: ${JSON.stringify(DEFAULT_GRID)}`,
  async act([store], flags, context) {
    const [{ sweepInProcess }, { gridRequest }] = await Promise.all([
      import('../../workflows/sweep/process.ts'),
      import('../../workflows/sweep/grid-file.ts'),
    ]);
    const { top, grid } = resolveOptions('sweep', TABLE_OPTIONS, pick(flags, TABLE_OPTIONS));
    const request = await gridRequest(grid, gridOfAxes(pick(flags, SWEEP_AXES) as Readonly<Record<string, string>>));
    const result = await sweepInProcess(store as string, { ...pick(flags, SWEEP_OPTIONS), ...request }, context);
    return { json: result, text: sweepText(result, top) };
  },
};
