import { repairText } from '../../report/store-report.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import type { CommandSpec } from '../program.ts';

export const repairCommand: CommandSpec = {
  name: 'repair',
  summary: 'drop what is damaged in a store and extract just that again',
  arguments: [['<store>', 'a store that extract or run made']],
  options: TAKE_OVER_OPTIONS,
  async act([store], _flags, context) {
    const { repair } = await import('../../workflows/care/repair.ts');
    const result = await repair(store as string, context);
    return { json: result, text: repairText(result), ok: result.next === null };
  },
};
