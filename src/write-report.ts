import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { flagOf } from './core/options.ts';
import { htmlReport } from './report/html/page.ts';
import type { RunResult } from './results/head-result.ts';
import { present, type ReportResult } from './results/report-data.ts';
import { requireFolderOf, writeFileAtomic } from './store/format/atomic-file.ts';
import { writeSealed } from './store/format/seal-beside.ts';
import { removeUnfinished } from './store/format/temporary-files.ts';
import type { ReportOptions } from './workflows/report/options.ts';
import { reportData } from './workflows/report/data.ts';
import type { Work } from './workflows/work.ts';

/** A word of a POSIX shell's command line. */
const quoted = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command line that repeats a run, with absolute paths; null for a run recorded without its options. */
export function repeatCommand({ dataset, store, options }: Partial<RunResult>): string | null {
  if (dataset === undefined || store === undefined || options === undefined) return null;
  const given = Object.entries(options).filter(([key]) => key !== 'store');
  const flags = [...given, ['store', resolve(store)] as const].flatMap(([key, value]) => {
    const flag = flagOf(key);
    return typeof value === 'boolean' ? [flag] : [flag, quoted(String(value))];
  });
  return ['npx permafrost run', quoted(resolve(dataset)), ...flags].join(' ');
}

/** The page's own script. */
export async function pageScript(): Promise<string> {
  const text = await readFile(new URL('./report/html/client.js', import.meta.url), 'utf8');
  return text.trimEnd();
}

/**
 * Writes all there is to see of a store as one HTML page that needs no network, to `out` or to report.html in the
 * store. Loads no network and changes nothing else. Throws what `reportData` throws, and STORE_WRITE.
 */
export async function writeReport(
  storePath: string,
  { out = '', ...options }: Partial<ReportOptions> = {},
  work: Work = {},
): Promise<ReportResult> {
  if (out !== '') requireFolderOf(out);
  const data = await reportData(storePath, options, work);
  const script = await pageScript();
  const page = new TextEncoder().encode(
    htmlReport(data, { script, command: present(data.run) ? repeatCommand(data.run) : null }),
  );
  const own = resolve(data.store.store, 'report.html');
  const file = out === '' ? own : resolve(out);
  await removeUnfinished(file);
  await (file === own ? writeSealed : writeFileAtomic)(file, [page]);
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
