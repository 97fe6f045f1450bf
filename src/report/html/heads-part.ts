import { present, type ReportData } from '../../core/report-data.ts';
import type { HeadResult } from '../../core/head-result.ts';
import { featuresText, milliseconds, parameters, plural } from '../format.ts';
import { span, SPAN } from './drawn.ts';
import { html, type Markup } from './markup.ts';
import { figure, percent } from './numbers.ts';
import { linearScale } from './scale.ts';
import { htmlTable } from './table.ts';

/** The first heads of a table, best first, whose intervals overlap that of the best: no more is known of which is better. */
export function indistinguishable(heads: readonly HeadResult[]): readonly HeadResult[] {
  return heads.filter(({ interval }) => interval[1] >= heads[0]!.interval[0]);
}

function verdict(heads: readonly HeadResult[], group: readonly HeadResult[]): string {
  const best = `the best, ${heads[0]!.name} on ${heads[0]!.pooling}`;
  if (heads.length === 1) return 'There is one head, so nothing to compare it with.';
  if (group.length === heads.length) return `No head can be told apart from ${best}.`;
  return group.length === 1
    ? `All other heads can be told apart from ${best}.`
    : `${plural(group.length - 1, 'head')} of ${heads.length - 1} cannot be told apart from ${best}.`;
}

/** The leaderboard, with each accuracy's interval drawn and the heads that cannot be told apart from the best named. */
export function headsPart({ run }: ReportData): Markup {
  if (!present(run)) return html`<p>${run.missing}</p>`;
  const { heads, skipped } = run;
  const best = heads[0];
  if (best === undefined) return html`<p>The last run trained no head.</p>`;
  const least = Math.floor(Math.min(...heads.map(({ interval }) => interval[0])) * 20) / 20;
  const scale = linearScale([least, 1], SPAN.range);
  const group = indistinguishable(heads);
  return html`<p>
      ${plural(heads.length, 'head')} trained on ${plural(best.trained, 'image')} and validated on
      ${best.validated} (${best.validatedOn}).
      <strong>${verdict(heads, group)}</strong>
      The rule: a head counts as told apart from the best only where its 95 % interval (Wilson) of the
      accuracy ends below that of the best. The rule is a careful one: all heads saw the same images, and a
      paired test could tell more of them apart.
    </p>
    <p class="small">
      Bars: 95 % intervals on an axis from ${percent(least, 0)} to 100 %; the dashed line stands at the best
      accuracy.
    </p>
    ${htmlTable({
      caption: 'Heads, best first',
      columns: [
        { title: 'head' },
        { title: 'features' },
        { title: 'accuracy', kind: 'n' },
        { title: '95 % interval' },
        { title: 'interval drawn', kind: 'out' },
        { title: 'balanced', kind: 'n' },
        { title: 'log loss', kind: 'n' },
        { title: 'fit', kind: 'n' },
        { title: 'settings' },
        { title: 'told apart from the best' },
      ],
      rows: heads.map((head) => [
        [head.name, !head.converged && ' (not converged)'],
        featuresText(head),
        figure(head.accuracy),
        html`<span class="together">${figure(head.interval[0])} to ${figure(head.interval[1])}</span>`,
        span(head.accuracy, head.interval, scale, best.accuracy),
        figure(head.balancedAccuracy),
        figure(head.logLoss),
        milliseconds(head.fitMs),
        parameters(head.changed) || 'defaults',
        head === best ? 'best' : group.includes(head) ? 'no' : 'yes',
      ]),
    })}
    ${
      skipped.length > 0 &&
      html`<p>Left out:</p>
        <ul>
          ${skipped.map(({ name, reason }) => html`<li>${name}: ${reason}</li>`)}
        </ul>`
    }`;
}
