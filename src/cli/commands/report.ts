import { pick } from '../../core/options.ts';
import { bytes, plural } from '../../report/format.ts';
import { printable } from '../../report/printable.ts';
import { REPORT_OPTIONS } from '../../workflows/report/options.ts';
import type { ReportResult } from '../../results/report-data.ts';
import { type CommandSpec } from '../program.ts';

function reportText(result: ReportResult): string {
  const { file, images, ofImages, thumbnails, overBudget, unavailable, mapped } = result;
  const missing = [
    ...(overBudget > 0 ? [`${overBudget} left out by --max-thumbnails or shown nowhere`] : []),
    ...(unavailable > 0 ? [`${unavailable} whose files are gone, changed or broken`] : []),
  ];
  return `${printable(file)}: ${bytes(result.bytes)}, ${images < ofImages ? `${images} of ${plural(ofImages, 'image')}` : plural(images, 'image')}, ${mapped} of them on the map, ${plural(thumbnails, 'picture')}${missing.length > 0 ? ` (without ${missing.join(' and ')})` : ''}. Open it in a browser; it needs no network.\n`;
}

export const reportCommand: CommandSpec = {
  name: 'report',
  summary: 'write one HTML page with everything there is to see of a store: heads, mistakes, duplicates, a map',
  arguments: [['<store>', 'a store that extract or run made']],
  options: REPORT_OPTIONS,
  async act([store], flags, context) {
    const { writeReport } = await import('../../write-report.ts');
    const written = await writeReport(store as string, pick(flags, REPORT_OPTIONS), context);
    return { json: written, text: reportText(written) };
  },
};
