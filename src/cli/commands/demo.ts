import { pick } from '../../core/options.ts';
import { RUN_OPTIONS } from '../../workflows/extract/options.ts';
import { runText } from '../../report/run-report.ts';
import { type CommandSpec } from '../program.ts';
import { REPORT_FLAG, reportAfterRun } from '../report-after-run.ts';

export const demoCommand: CommandSpec = {
  name: 'demo',
  summary:
    'the main job on the data set that comes with the project: emoji, trained on two drawing styles, validated on a third',
  arguments: [],
  options: { ...RUN_OPTIONS, ...REPORT_FLAG },
  async act(_args, flags, context) {
    const { demo } = await import('../../workflows/run/demo.ts');
    const result = await demo(pick(flags, RUN_OPTIONS), context);
    await reportAfterRun(result.store, flags, context);
    return { json: result, text: runText(result), failed: result.failed.length };
  },
};
