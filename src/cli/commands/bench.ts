import { pick } from '../../core/options.ts';
import { benchText } from '../../report/bench-report.ts';
import { BENCH_OPTIONS } from '../../workflows/engines/bench-options.ts';
import { type CommandSpec } from '../program.ts';

export const benchCommand: CommandSpec = {
  name: 'bench',
  summary: 'measure the installed engines on a few of your own images: images/s, memory, cosine to fp32',
  arguments: [['[images...]', 'a data set, or image files; none: the emoji that come with permafrost']],
  options: BENCH_OPTIONS,
  async act([images], flags, context) {
    const { bench } = await import('../../workflows/engines/bench.ts');
    const result = await bench(images as string[], pick(flags, BENCH_OPTIONS), context);
    return { json: result, text: benchText(result), failed: result.failed.length };
  },
};
