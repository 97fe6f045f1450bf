import { EXTRACT_OPTIONS } from '../../workflows/extract-options.ts';
import { extractText } from '../../report/extract-report.ts';
import { pick, type CommandSpec } from '../program.ts';

export const extractCommand: CommandSpec = {
  name: 'extract',
  summary: 'run the frozen network once and keep the features',
  arguments: [['<dataset>', 'folder with Train/ and Val/, folder of class folders, .csv or .jsonl']],
  options: EXTRACT_OPTIONS,
  async act([dataset], flags, context) {
    const { extract } = await import('../../workflows/extract.ts');
    const result = await extract(dataset as string, pick(flags, EXTRACT_OPTIONS), context);
    return { json: result, text: extractText(result), failed: result.failed.length };
  },
};
