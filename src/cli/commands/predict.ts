import { pick } from '../../core/options.ts';
import { PREDICT_OPTIONS } from '../../workflows/predict/options.ts';
import { predictText } from '../../report/answers/answer-report.ts';
import { writtenText } from '../../report/answers/written-answers.ts';
import { type CommandSpec } from '../program.ts';

const STANDARD = '-';

export const predictCommand: CommandSpec = {
  name: 'predict',
  summary: 'classify images with a head and show the nearest training images',
  arguments: [
    ['<head>', 'a head file that train or run wrote, or a store: its best head'],
    [
      '<images...>',
      'image files, folders, patterns (in quotes), lists of paths (.txt, .csv, .jsonl), or - for names on standard input',
    ],
  ],
  options: PREDICT_OPTIONS,
  short: { neighbors: '-k' },
  async act([head, images], flags, context) {
    const { predict } = await import('../../workflows/predict/predict.ts');
    const given = images as string[];
    const result = await predict(head as string, given, pick(flags, PREDICT_OPTIONS), {
      ...context,
      names: given.includes(STANDARD) ? process.stdin : undefined,
      // With --json standard output is for the one document.
      print: flags['json'] === true ? undefined : context.print,
    });
    const { written = [], sorted, counts } = result;
    const isWritten = written.length > 0 || sorted !== undefined;
    const text = isWritten ? writtenText(result) : predictText(result);
    const isPrinted = written.some(({ file }) => file === STANDARD);
    if (isPrinted) for (const line of text.trimEnd().split('\n')) context.listener.note?.(line);
    return { json: result, text: isPrinted ? '' : text, failed: counts.failed };
  },
};
