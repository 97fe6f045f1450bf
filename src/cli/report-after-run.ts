import { PermafrostError } from '../core/errors.ts';
import { booleanOption } from '../core/options.ts';
import type { CommandContext } from './program.ts';

/** The flag `--no-report` of the commands that run everything. */
export const REPORT_FLAG = { report: booleanOption(true, 'write report.html into the store') } as const;

/** What a run's own report may hold at most, so that it costs seconds: `permafrost report` has room for more. */
const AFTER_RUN = { maxThumbnails: 300, mapImages: 400 } as const;

/** Writes the report at the end of a run, unless `--no-report`. Where that fails, the run's answer still stands. */
export async function reportAfterRun(
  store: string,
  flags: Readonly<Record<string, unknown>>,
  context: Pick<CommandContext, 'signal' | 'listener'>,
): Promise<void> {
  if (flags.report === false) return;
  const { writeReport } = await import('../write-report.ts');
  try {
    const { file } = await writeReport(store, AFTER_RUN, context);
    context.listener.note?.(`Report: ${file} (open it in a browser; "permafrost report" has room for more pictures).`);
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'INTERRUPTED') throw error;
    context.listener.note?.(`Warning: no report was written: ${error.message} [${error.code}]`);
  }
}
