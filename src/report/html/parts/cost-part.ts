import { present, type ReportData } from '../../../results/report-data.ts';
import { featuresText, milliseconds, seconds } from '../../format.ts';
import { html, type Markup } from '../markup.ts';
import { count } from '../numbers.ts';
import { htmlTable, numeric, plain } from '../table.ts';

/** What the last run cost: extraction, and each head. */
export function costPart({ run }: ReportData): Markup {
  if (!present(run)) return html`<p>${run.missing}</p>`;
  const { load, extract, train } = run.seconds;
  const speed = run.extracted > 0 ? `, ${(run.extracted / extract).toFixed(1)} images a second` : '';
  return html`<dl>
      <dt>Extraction</dt>
      <dd>
        ${seconds(extract)} for ${count(run.extracted)} extracted and ${count(run.reused)} reused
        images${speed}${run.extracted === 0 && '; what the first extraction cost is not kept'}
      </dd>
      <dt>Loading the network</dt>
      <dd>${run.extracted === 0 ? 'not needed' : seconds(load)}</dd>
      <dt>All heads</dt>
      <dd>${seconds(train ?? 0)}, reading features included</dd>
    </dl>
    ${htmlTable({
      caption: 'Cost of each head, features in memory',
      columns: [...plain('head', 'features'), ...numeric('fit', 'predict all validated', 'iterations')],
      rows: run.heads.map((head) => [
        head.name,
        featuresText(head),
        milliseconds(head.fitMs),
        milliseconds(head.predictMs),
        count(head.iterations),
      ]),
    })}`;
}
