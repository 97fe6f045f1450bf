import { inspectText } from '../../report/answers/answer-report.ts';
import type { CommandSpec } from '../program.ts';

export const inspectCommand: CommandSpec = {
  name: 'inspect',
  summary: 'what is in a store: counts, classes, contract, weights, shards, bytes',
  arguments: [['<store>', 'a store that extract or run made']],
  options: {},
  async act([store]) {
    const { inspect } = await import('../../workflows/care/inspect.ts');
    const result = await inspect(store as string);
    return { json: result, text: inspectText(result) };
  },
};
