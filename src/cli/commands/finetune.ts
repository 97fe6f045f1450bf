import { pick } from '../../core/options.ts';
import { finetuneText } from '../../report/finetune-report.ts';
import { FINETUNE_OPTIONS } from '../../workflows/finetune/options.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const finetuneCommand: CommandSpec = {
  name: 'finetune',
  summary: 'train the layers behind a cut too, from the exact frozen head; keeps that head where nothing beats it',
  arguments: [['<store>', 'a store that extract or run made']],
  options: { ...FINETUNE_OPTIONS, ...TAKE_OVER_OPTIONS },
  more: 'Rate and epochs are chosen by log loss on a fifth of Train that is held out; Val is only watched. Ctrl-C keeps the best so far, and the same command goes on.',
  async act([store], flags, context) {
    const { finetune } = await import('../../workflows/finetune/finetune.ts');
    const result = await finetune(store as string, pick(flags, FINETUNE_OPTIONS), context);
    return { json: result, text: finetuneText(result) };
  },
};
