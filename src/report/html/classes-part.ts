import type { Judgement } from '../../core/report-data.ts';
import { html, type Markup } from './markup.ts';
import { count, firstOf, percent } from './numbers.ts';
import { htmlTable } from './table.ts';

const MOST = 200;
const [WIDTH, HEIGHT] = [120, 12];

function bar(share: number, colour: string): Markup {
  return html`<span class="together"
    ><svg class="bar" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
      <rect class="track" width="${WIDTH}" height="${HEIGHT}" />
      <rect class="${colour}" width="${Math.round(share * WIDTH)}" height="${HEIGHT}" />
    </svg>
    ${percent(share)}</span
  >`;
}

/** Precision and recall of each class, the class that is known worst first. */
export function classesPart({ classes }: Judgement): Markup {
  const { shown, rest } = firstOf(
    [...classes].sort((a, b) => a.f1 - b.f1 || b.support - a.support),
    MOST,
  );
  return html`<p>
      Precision: of the images taken for the class, how many are of it. Recall: of the images of the class,
      how many are found.
    </p>
    ${htmlTable({
      caption: 'The least known class first',
      columns: [
        { title: 'class' },
        { title: 'images', kind: 'n' },
        { title: 'precision' },
        { title: 'recall' },
        { title: 'F1', kind: 'n' },
      ],
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
