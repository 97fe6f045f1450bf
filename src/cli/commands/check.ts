import { pick } from '../../core/options.ts';
import { checkText } from '../../report/check-report.ts';
import { CHECK_OPTIONS } from '../../workflows/check/options.ts';
import { type CommandSpec } from '../program.ts';

export const checkCommand: CommandSpec = {
  name: 'check',
  summary: 'find duplicates, leaks between train and val, suspected label errors, classes too small to judge',
  arguments: [['<store>', 'a store that extract or run made']],
  options: CHECK_OPTIONS,
  async act([store], flags, context) {
    const { check } = await import('../../workflows/check/check.ts');
    const result = await check(store as string, pick(flags, CHECK_OPTIONS), context);
    return { json: result, text: checkText(result) };
  },
};
