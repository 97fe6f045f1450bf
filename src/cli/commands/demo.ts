import { RUN_OPTIONS } from '../../workflows/extract-options.ts';
import { runText } from '../../report/run-report.ts';
import { pick, type CommandSpec } from '../program.ts';

export const demoCommand: CommandSpec = {
  name: 'demo',
  summary:
    'the main job on the data set that comes with the project: emoji, trained on two drawing styles, validated on a third',
  arguments: [],
  options: RUN_OPTIONS,
  async act(_args, flags, context) {
    const { demo } = await import('../../workflows/demo.ts');
    const result = await demo(pick(flags, RUN_OPTIONS), context);
    return { json: result, text: runText(result), failed: result.failed.length };
  },
};
