import type { PredictResult } from '../../results/answer-results.ts';
import { failuresText } from '../extract-report.ts';
import { plural } from '../format.ts';
import { printable } from '../printable.ts';
import { left, right, textTable } from '../text-table.ts';

const KINDS = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' } as const;

/** What came of images whose answers went to files or a folder: counts, and where the answers are. */
export function writtenText({ counts, written = [], sorted, failed }: PredictResult): string {
  const { images, answered, unknown, failed: failures, before, labels } = counts;
  const said = [
    `${answered} answered${unknown > 0 ? `, ${unknown} of them unknown` : ''}`,
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(before > 0 ? [`${before} answered before`] : []),
  ];
  const classes = Object.entries(labels).sort(([, a], [, b]) => b - a);
  const files = written
    .filter(({ file }) => file !== '-')
    .map(({ kind, file, rows }) => `${KINDS[kind]}: ${printable(file)} (${plural(rows, 'row')})\n`);
  const more = failures - failed.length;
  return [
    `${plural(images, 'image')}: ${said.join(', ')}.\n`,
    classes.length === 0
      ? ''
      : textTable(
          [...left('class'), ...right('images')],
          classes.map(([label, n]) => [label, String(n)]),
        ),
    ...files,
    sorted === undefined ? '' : sortedLine(sorted),
    failuresText(failed),
    more > 0 ? `and ${more} more, all of them in the files.\n` : '',
  ].join('');
}

function sortedLine({ folder, isLinks, put, there, gone }: NonNullable<PredictResult['sorted']>): string {
  const parts = [
    `${plural(put, isLinks ? 'link' : 'copy', isLinks ? 'links' : 'copies')} made`,
    ...(there > 0 ? [`${there} there already`] : []),
    ...(gone > 0 ? [`${gone} failed ones of which no file is left`] : []),
  ];
  return `Sorted into ${printable(folder)}: ${parts.join(', ')}\n`;
}
