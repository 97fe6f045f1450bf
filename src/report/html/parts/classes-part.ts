import type { Judgement } from '../../../results/report-data.ts';
import { bar } from '../drawn.ts';
import { html, type Markup } from '../markup.ts';
import { count, firstOf } from '../numbers.ts';
import { htmlTable, numeric, plain } from '../table.ts';

const MOST = 200;

/** Precision and recall of each class, the class that is known worst first. */
export function classesPart({ classes }: Judgement): Markup {
  const { shown, rest } = firstOf(
    [...classes].sort((a, b) => a.f1 - b.f1 || b.support - a.support),
    MOST,
  );
  return html`<p>
      Precision: of the images taken for the class, how many are of it. Recall: of the images of the class, how many are
      found.
    </p>
    ${htmlTable({
      caption: 'The least known class first',
      columns: [...plain('class'), ...numeric('images'), ...plain('precision', 'recall'), ...numeric('F1')],
      rows: shown.map(({ label, support, precision, recall, f1 }) => [
        label,
        count(support),
        bar(precision, 'c0'),
        bar(recall, 'c1'),
        f1.toFixed(3),
      ]),
    })}
    <p>${rest}</p>`;
}
