import { pick } from '../../core/options.ts';
import { mergeText } from '../../report/machines-report.ts';
import { MERGE_OPTIONS } from '../../workflows/machines/options.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const mergeCommand: CommandSpec = {
  name: 'merge',
  summary: 'make the store of a planned extraction out of its finished units, or say which are missing',
  arguments: [['<store>', 'the store that was planned for']],
  options: { ...MERGE_OPTIONS, ...TAKE_OVER_OPTIONS },
  async act([store], flags, context) {
    const { merge } = await import('../../workflows/machines/merge.ts');
    const result = await merge(store as string, pick(flags, MERGE_OPTIONS), context);
    return { json: result, text: mergeText(result), failed: result.failed.length };
  },
};
