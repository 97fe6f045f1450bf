import { PREDICT_OPTIONS } from '../../workflows/search/predict-options.ts';
import { predictText } from '../../report/answer-report.ts';
import { pick, type CommandSpec } from '../program.ts';

export const predictCommand: CommandSpec = {
  name: 'predict',
  summary: 'classify images with a head file and show the nearest training images',
  arguments: [
    ['<head-file>', 'a head that train or run wrote'],
    ['<images...>', 'image files'],
  ],
  options: PREDICT_OPTIONS,
  async act([head, images], flags, context) {
    const { predict } = await import('../../workflows/search/predict.ts');
    const result = await predict(head as string, images as string[], pick(flags, PREDICT_OPTIONS), context);
    return { json: result, text: predictText(result), failed: result.failed.length };
  },
};
