import type { RejectResult } from '../../../results/head-result.ts';
import { present, type Judgement, type ReportData } from '../../../results/report-data.ts';
import { plural, significant } from '../../format.ts';
import { alarmText, leftOutText } from '../../reject-report.ts';
import { bar } from '../drawn.ts';
import { html, type Markup, type Content } from '../markup.ts';
import { figure, firstOf, percent } from '../numbers.ts';
import { card } from '../pictures.ts';
import { htmlTable, numeric, plain } from '../table.ts';

/** Images that are shown as called unknown. */
const MOST = 12;

type Rule = NonNullable<RejectResult['rule']>;

const interval = ([low, high]: readonly [number, number]): string =>
  `95 % interval ${percent(low)} to ${percent(high)}`;

function ruleFacts(rule: Rule, rate: number) {
  const { measure, threshold, calibratedOn, comparedWith, rateInterval, validated } = rule;
  const found = leftOutText(rule);
  const { split, images, rejected, share, interval: range, accuracyOfAnswered } = validated;
  return html`<dl>
    <dt>Rule</dt>
    <dd>unusual where <strong>${measure}</strong> is above <strong>${significant(threshold)}</strong></dd>
    <dt>Asked for</dt>
    <dd>
      at most ${percent(rate)} false rejects on average over training sets; the threshold stands on
      ${plural(calibratedOn, 'training image')},
      ${comparedWith === undefined ? 'each judged by a head that had not seen it' : `others than the ${comparedWith} that are compared with`}
      ${rateInterval && html`; this rule's own share lies between ${percent(rateInterval[0])} and ${percent(rateInterval[1])} (95 %)`}
    </dd>
    <dt>False rejects</dt>
    <dd>${rejected} of ${plural(images, 'image')} of ${split}: ${percent(share)} (${interval(range)})</dd>
    ${
      accuracyOfAnswered !== null &&
      html`<dt>Still answered</dt>
        <dd>${percent(accuracyOfAnswered)} of them right</dd>`
    }
    ${
      found !== null &&
      html`<dt>Found</dt>
        <dd>${found}</dd>`
    }
  </dl>`;
}

function measuresTable({ measure, measures, leftOut, leftOutClasses = [] }: Rule): Markup {
  if (measures.length === 0)
    return html`<p>
      No class could be left out to compare measures: this one is the default, and how many unknown images it finds is
      not known.
    </p>`;
  return html`<p>
      Each of ${plural(leftOut.length, 'class', 'classes')} was left out of the training in turn. AUROC: how often an
      image of the left-out class is stranger than one of a known class; 50 % is chance. The default is taken unless
      another measure is clearly better.
    </p>
    ${htmlTable({
      caption: 'Novelty scores, the best first',
      columns: plain('measure', 'mean AUROC', 'taken'),
      rows: [...measures]
        .sort((a, b) => b.auroc - a.auroc)
        .map((one) => [one.measure, bar(one.auroc, 'c0', figure(one.auroc)), one.measure === measure ? 'yes' : 'no']),
    })}
    ${
      leftOutClasses.length > 0 &&
      htmlTable({
        caption: `Each class left out, by ${measure}`,
        columns: [...plain('class', 'AUROC'), ...numeric('called unknown')],
        rows: leftOutClasses.map(({ label, auroc, rejected: share }) => [
          label,
          bar(auroc, 'c0', figure(auroc)),
          percent(share),
        ]),
      })
    }`;
}

function rejected(data: ReportData, { unknown, judged, validated }: Judgement): Content {
  if (unknown === null) return null;
  if (unknown.length === 0)
    return html`<p>
      None of the validated images${judged.length < validated && ' of this page'} is marked as unusual.
    </p>`;
  const { shown, rest } = firstOf(unknown, MOST);
  return html`<h3>Validated images that are marked as unusual</h3>
    <ul class="cards">
      ${shown.map((at) => {
        const { image, predicted, probability } = judged[at]!;
        return card(
          data,
          image,
          html`<span
            ><b>${predicted}</b> (${percent(probability)}), unusual; is <b>${data.images[image]!.label}</b></span
          >`,
        );
      })}
    </ul>
    <p>${rest}</p>`;
}

/** When the best head answers "unknown", what that costs and what it finds. */
export function unknownPart(data: ReportData): Markup {
  const { run, judgement } = data;
  if (!present(run)) return html`<p>${run.missing}</p>`;
  const reject = run.heads[0]?.reject;
  if (reject === undefined)
    return html`<p>
      The best head has no rule for images of no class that it knows (--reject 0, or trained on views): it names a class
      for every picture.
    </p>`;
  const { rate, rule, problem } = reject;
  if (rule === null) return html`<p>The best head never answers “unknown”: ${problem}.</p>`;
  const alarm = alarmText(rule, rate);
  return html`<p>
      A picture of no known class is marked as unusual where it is too strange; the best guess stands before the mark.
      The best head's rule:
    </p>
    ${ruleFacts(rule, rate)} ${alarm !== null && html`<p class="notice">${alarm}</p>`} ${measuresTable(rule)}
    ${present(judgement) && rejected(data, judgement)}`;
}
