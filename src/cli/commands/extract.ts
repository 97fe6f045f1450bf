import { booleanOption } from '../../core/options.ts';
import { EXTRACT_OPTIONS } from '../../workflows/extract/options.ts';
import { extractText, traceText } from '../../report/extract-report.ts';
import { pick, type CommandSpec } from '../program.ts';

/** A flag of the commands that extract; `--json` holds the trace in any case. */
export const TRACE_OPTIONS = { trace: booleanOption(false, 'tell where the time went, stage by stage') } as const;

export const extractCommand: CommandSpec = {
  name: 'extract',
  summary: 'run the frozen network once and keep the features',
  arguments: [['<dataset>', 'folder with Train/ and Val/, folder of class folders, .csv, .jsonl, .tar or .parquet']],
  options: { ...EXTRACT_OPTIONS, ...TRACE_OPTIONS },
  async act([dataset], flags, context) {
    const { extract } = await import('../../workflows/extract/extract.ts');
    const result = await extract(dataset as string, pick(flags, EXTRACT_OPTIONS), context);
    return {
      json: result,
      text: extractText(result) + (flags.trace === true ? traceText(result.trace) : ''),
      failed: result.failed.length,
    };
  },
};
