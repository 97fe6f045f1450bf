import { verifyText } from '../../report/store-report.ts';
import type { CommandSpec } from '../program.ts';

export const verifyCommand: CommandSpec = {
  name: 'verify',
  summary: 'read every byte of a store and name each file that is not what was written',
  arguments: [['<store>', 'a store that extract or run made']],
  options: {},
  async act([store], _flags, context) {
    const { verify } = await import('../../workflows/care/verify.ts');
    const result = await verify(store as string, context);
    return { json: result, text: verifyText(result), ok: result.ok };
  },
};
