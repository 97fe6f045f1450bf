import { pick } from '../../core/options.ts';
import { planText } from '../../report/machines-report.ts';
import { PLAN_OPTIONS } from '../../workflows/machines/options.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const planCommand: CommandSpec = {
  name: 'plan',
  summary: 'share an extraction out to several machines: write what each of them is to do',
  arguments: [['<dataset>', 'folder with Train/ and Val/, folder of class folders, .csv or .jsonl']],
  options: { ...PLAN_OPTIONS, ...TAKE_OVER_OPTIONS },
  async act([dataset], flags, context) {
    const { plan } = await import('../../workflows/machines/plan.ts');
    const result = await plan(dataset as string, pick(flags, PLAN_OPTIONS), context);
    return { json: result, text: planText(result) };
  },
};
