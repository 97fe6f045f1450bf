import { present, type ReportData } from '../../../results/report-data.ts';
import type { HeadResult } from '../../../results/head-result.ts';
import { featuresText, milliseconds, parameters, plural } from '../../format.ts';
import { choiceText, crossValidatedText } from '../../run-report.ts';
import { scoreRemarks, testText } from '../../score-report.ts';
import { looksText, toldApartText } from '../../told-apart.ts';
import { accuracyAxis, span } from '../drawn.ts';
import { html, type Markup } from '../markup.ts';
import { figure, percent } from '../numbers.ts';
import { htmlTable, numeric, plain, untitled } from '../table.ts';

const toldApart = ({ comparison }: HeadResult): string =>
  comparison === undefined ? '' : comparison.toldApart ? 'yes' : 'no';

/** The leaderboard, with each accuracy's interval drawn and the heads that cannot be told apart from the best named. */
export function headsPart({ run }: ReportData): Markup {
  if (!present(run)) return html`<p>${run.missing}</p>`;
  const { heads, skipped } = run;
  const best = heads[0];
  if (best === undefined) return html`<p>The last run trained no head.</p>`;
  const several = heads.some(({ backbone }) => backbone !== undefined);
  const { least, scale } = accuracyAxis(heads);
  return html`<p>
      ${plural(heads.length, 'head')} trained on ${plural(best.trained, 'image')} and validated on ${best.validated}
      (${best.validatedOn}).
      <strong>${toldApartText(heads)}</strong>
      The test looks at the images that one of the two heads got right and the other wrong, so it may tell heads apart
      whose intervals overlap. ${choiceText(run)} ${best.looks && looksText(best.looks, best.validatedOn)}
    </p>
    ${scoreRemarks(best).map((line) => html`<p class="notice">${line}</p>`)}
    ${best.test !== undefined && html`<p><strong>${testText(best.test)}</strong></p>`}
    <p class="small">
      Bars: 95 % intervals on an axis from ${percent(least, 0)} to 100 %; the dashed line stands at the best head's
      accuracy.
    </p>
    ${htmlTable({
      caption: 'Heads, best first',
      columns: [
        ...plain('head', ...(several ? ['backbone'] : []), 'features'),
        ...numeric('cross-validated', `accuracy on ${best.validatedOn}`),
        ...plain('95 % interval'),
        untitled('interval drawn'),
        ...numeric('balanced', 'log loss', 'fit'),
        ...plain('settings', 'told apart from the best'),
      ],
      rows: heads.map((head) => [
        [head.name, !head.converged && ' (not converged)'],
        ...(several ? [head.backbone ?? ''] : []),
        featuresText(head),
        crossValidatedText(head),
        figure(head.accuracy),
        html`<span class="together">${figure(head.interval[0])} to ${figure(head.interval[1])}</span>`,
        span(head.accuracy, head.interval, scale, best.accuracy),
        figure(head.balancedAccuracy),
        figure(head.logLoss),
        milliseconds(head.fitMs),
        parameters(head.changed) || 'defaults',
        head === best ? 'best' : toldApart(head),
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
