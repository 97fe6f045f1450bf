import { pick } from '../../core/options.ts';
import { gcText } from '../../report/store-report.ts';
import { GC_OPTIONS } from '../../workflows/care/gc-options.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const gcCommand: CommandSpec = {
  name: 'gc',
  summary: 'remove the features that the data set no longer needs',
  arguments: [['<store>', 'a store that extract or run made']],
  options: { ...GC_OPTIONS, ...TAKE_OVER_OPTIONS },
  async act([store], flags, context) {
    const { gc } = await import('../../workflows/care/gc.ts');
    const result = await gc(store as string, pick(flags, GC_OPTIONS), context);
    return { json: result, text: gcText(result) };
  },
};
