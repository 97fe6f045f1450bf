import { pick } from '../../core/options.ts';
import { RUN_OPTIONS } from '../../workflows/extract/options.ts';
import { traceText } from '../../report/extract-report.ts';
import { runText } from '../../report/run-report.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';
import { REPORT_FLAG, reportAfterRun } from '../report-after-run.ts';
import { TRACE_OPTIONS } from './extract.ts';

export const runCommand: CommandSpec = {
  name: 'run',
  summary: 'extract what is new, train a set of heads, tell how well they do',
  arguments: [['<dataset>', 'folder with Train/ and Val/, folder of class folders, .csv, .jsonl, .tar or .parquet']],
  options: { ...RUN_OPTIONS, ...TRACE_OPTIONS, ...TAKE_OVER_OPTIONS, ...REPORT_FLAG },
  async act([dataset], flags, context) {
    const { run } = await import('../../workflows/run/run.ts');
    const result = await run(dataset as string, pick(flags, RUN_OPTIONS), context);
    await reportAfterRun(result.store, flags, context);
    return {
      json: result,
      text: runText(result) + (flags.trace === true ? traceText(result.trace) : ''),
      failed: result.failed.length,
    };
  },
};
