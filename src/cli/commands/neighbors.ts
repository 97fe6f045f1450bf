import { pick } from '../../core/options.ts';
import { NEIGHBORS_OPTIONS } from '../../workflows/search/neighbors-options.ts';
import { neighborsText } from '../../report/answers/answer-report.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const neighborsCommand: CommandSpec = {
  name: 'neighbors',
  summary: 'the stored images that are nearest to an image',
  arguments: [
    ['<store>', 'a store that extract or run made'],
    ['<images...>', 'image files, or folders of them'],
  ],
  options: { ...NEIGHBORS_OPTIONS, ...TAKE_OVER_OPTIONS },
  async act([store, images], flags, context) {
    const { neighbors } = await import('../../workflows/search/neighbors.ts');
    const result = await neighbors(store as string, images as string[], pick(flags, NEIGHBORS_OPTIONS), context);
    return { json: result, text: neighborsText(result), failed: result.failed.length };
  },
};
