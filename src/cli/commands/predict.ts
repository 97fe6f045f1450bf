import { PREDICT_OPTIONS } from '../../workflows/predict/options.ts';
import { predictText } from '../../report/answer-report.ts';
import { pick, type CommandSpec } from '../program.ts';

export const predictCommand: CommandSpec = {
  name: 'predict',
  summary: 'classify images with a head and show the nearest training images',
  arguments: [
    ['<head>', 'a head file that train or run wrote, or a store: its best head'],
    ['<images...>', 'image files, or folders of them'],
  ],
  options: PREDICT_OPTIONS,
  short: { neighbors: '-k' },
  async act([head, images], flags, context) {
    const { predict } = await import('../../workflows/predict/predict.ts');
    const result = await predict(head as string, images as string[], pick(flags, PREDICT_OPTIONS), context);
    return { json: result, text: predictText(result), failed: result.failed.length };
  },
};
