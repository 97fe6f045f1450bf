import type { HeadResult, ViewsBenefit } from '../../../results/head-result.ts';
import { present, type ReportData } from '../../../results/report-data.ts';
import { featuresText, plural } from '../../format.ts';
import { pText, viewsVerdict } from '../../told-apart.ts';
import { span, SPAN } from '../drawn.ts';
import { html, type Markup } from '../markup.ts';
import { figure } from '../numbers.ts';
import { linearScale } from '../scale.ts';
import { htmlTable, numeric, plain, untitled } from '../table.ts';

const withViews = (head: HeadResult): head is HeadResult & { views: ViewsBenefit } => head.views !== undefined;

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

/** What augmented views were worth to each head trained on them, next to the same head without; null for none. */
export function viewsPart({ run }: ReportData): Markup | null {
  const heads = present(run) ? run.heads.filter(withViews) : [];
  if (heads.length === 0) return null;
  const most = Math.max(0.01, ...heads.flatMap(({ views }) => views.interval.map(Math.abs)));
  const scale = linearScale([-most, most], SPAN.range);
  return html`<p>
      Heads trained on the images and their augmented views, each beside the same head trained on the images alone, on
      the same ${plural(heads[0]!.validated, 'validated image')}. Difference in accuracy with its 95 % interval; p is
      McNemar’s, which says whether the views helped.
    </p>
    <p class="small">
      Bars: 95 % intervals on an axis from ${signed(-most)} to ${signed(most)}; the dashed line stands at no difference.
    </p>
    ${htmlTable({
      caption: 'What the views were worth',
      columns: [
        ...plain('head', 'features'),
        ...numeric('views', 'with', 'without', 'difference'),
        ...plain('95 % interval'),
        untitled('interval drawn'),
        ...numeric('p'),
        ...plain('verdict'),
      ],
      rows: heads.map((head) => {
        const { name, accuracy, views } = head;
        const { count, accuracyWithout, difference, interval, pValue } = views;
        return [
          name,
          featuresText(head),
          count,
          figure(accuracy),
          figure(accuracyWithout),
          signed(difference),
          html`<span class="together">${signed(interval[0])} to ${signed(interval[1])}</span>`,
          span(difference, interval, scale, 0),
          pText(pValue),
          viewsVerdict(views),
        ];
      }),
    })}`;
}
