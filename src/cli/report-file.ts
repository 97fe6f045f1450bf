import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { booleanOption } from '../core/options.ts';
import { present } from '../results/report-data.ts';
import type { RunResult } from '../results/head-result.ts';
import type { ReportOptions } from '../workflows/report/options.ts';
import { flagOf, type CommandContext } from './program.ts';

/** The flag `--no-report` of the commands that run everything. */
export const REPORT_FLAG = {
  report: booleanOption(true, 'do not write report.html into the store'),
} as const;

/** What was written. */
export interface WrittenReport {
  readonly store: string;
  readonly file: string;
  readonly bytes: number;
  /** Images that the page can show, of how many. */
  readonly images: number;
  readonly ofImages: number;
  readonly thumbnails: number;
  /** Images without a picture: left out by the budget, and those whose file is gone, changed or broken. */
  readonly overBudget: number;
  readonly unavailable: number;
  /** Images on the map, 0 where there is none. */
  readonly mapped: number;
}

/** A word of a POSIX shell's command line. */
const quoted = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The command line that repeats a run; data set and store by absolute paths, a weights file as it was given. Runs
 * recorded by versions without their options give null.
 */
export function repeatCommand({ dataset, store, options }: Partial<RunResult>): string | null {
  if (dataset === undefined || store === undefined || options === undefined) return null;
  const given = Object.entries(options).filter(([key]) => key !== 'store');
  const flags = [...given, ['store', resolve(store)] as const].flatMap(([key, value]) => {
    const flag = flagOf(key);
    return typeof value === 'boolean' ? [flag] : [flag, quoted(String(value))];
  });
  return ['npx permafrost run', quoted(resolve(dataset)), ...flags].join(' ');
}

/** The page's own script, without the compiler's way to its source map: a page is one file. */
export async function pageScript(): Promise<string> {
  const text = await readFile(new URL('../report/html/client.js', import.meta.url), 'utf8');
  return text.replace(/^\/\/# sourceMappingURL=.*$/m, '').trimEnd();
}

/** Writes the report of a store, by default as report.html into it. */
export async function writeReport(
  storePath: string,
  { out, ...options }: Partial<ReportOptions> & { readonly out?: string },
  context: Pick<CommandContext, 'signal' | 'listener'>,
): Promise<WrittenReport> {
  const [{ report }, { htmlReport }, { writeFileAtomic }, script] = await Promise.all([
    import('../workflows/report/report.ts'),
    import('../report/html/page.ts'),
    import('../store/format/atomic-file.ts'),
    pageScript(),
  ]);
  const data = await report(storePath, options, context);
  const page = new TextEncoder().encode(
    htmlReport(data, { script, command: present(data.run) ? repeatCommand(data.run) : null }),
  );
  const file = out === undefined || out === '' ? join(data.store.store, 'report.html') : resolve(out);
  await writeFileAtomic(file, [page]);
  const { overBudget, unavailable } = data.thumbnails;
  return {
    store: data.store.store,
    file,
    bytes: page.length,
    images: data.images.length,
    ofImages: data.store.images,
    thumbnails: data.thumbnails.data.size,
    overBudget,
    unavailable,
    mapped: present(data.map) ? data.map.images.length : 0,
  };
}

/** What a run's own report may hold at most, so that it costs seconds: `permafrost report` has room for more. */
const AFTER_RUN = { maxThumbnails: 300, mapImages: 400 } as const;

/**
 * Writes the report at the end of a run, unless `--no-report`, and tells where; where it cannot be written, the run's
 * answer stands and it is told why.
 */
export async function reportAfterRun(
  store: string,
  flags: Readonly<Record<string, unknown>>,
  context: Pick<CommandContext, 'signal' | 'listener'>,
): Promise<void> {
  if (flags.report === false) return;
  try {
    const { file } = await writeReport(store, AFTER_RUN, context);
    context.listener.note?.(
      `Report: ${file} (open it in a browser; "permafrost report" has room for more pictures).`,
    );
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'INTERRUPTED') throw error;
    context.listener.note?.(`Warning: no report was written: ${error.message} [${error.code}]`);
  }
}
