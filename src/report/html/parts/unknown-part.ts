import type { RejectResult } from '../../../results/head-result.ts';
import { present, type Judgement, type ReportData } from '../../../results/report-data.ts';
import { plural, significant } from '../../format.ts';
import { bar } from '../drawn.ts';
import { html, type Markup, type Content } from '../markup.ts';
import { figure, firstOf, percent } from '../numbers.ts';
import { card } from '../pictures.ts';
import { htmlTable, plain } from '../table.ts';

/** Images that are shown as called unknown. */
const MOST = 12;

type Rule = NonNullable<RejectResult['rule']>;

const interval = ([low, high]: readonly [number, number]): string =>
  `95 % interval ${percent(low)} to ${percent(high)}`;

function ruleFacts({ measure, threshold, calibratedOn, comparedWith, leftOutRejected, validated }: Rule, rate: number) {
  const { split, images, rejected, share, interval: range, accuracyOfAnswered } = validated;
  return html`<dl>
    <dt>Rule</dt>
    <dd>unknown where <strong>${measure}</strong> is above <strong>${significant(threshold)}</strong></dd>
    <dt>Asked for</dt>
    <dd>
      at most ${percent(rate)} false rejects; the threshold stands on ${plural(calibratedOn, 'training image')},
      ${comparedWith === undefined ? 'each judged by a head that had not seen it' : `others than the ${comparedWith} that are compared with`}
    </dd>
    <dt>False rejects</dt>
    <dd>${rejected} of ${plural(images, 'image')} of ${split}: ${percent(share)} (${interval(range)})</dd>
    ${
      accuracyOfAnswered !== null &&
      html`<dt>Still answered</dt>
        <dd>${percent(accuracyOfAnswered)} of them right</dd>`
    }
    ${
      leftOutRejected !== null &&
      html`<dt>Found</dt>
        <dd>
          ${percent(leftOutRejected)} of the images of a class that was left out of the training are called unknown
        </dd>`
    }
  </dl>`;
}

function measuresTable({ measure, measures, leftOut }: Rule): Markup {
  if (measures.length === 0)
    return html`<p>
      With two classes none can be left out to compare measures: this one is the default, and how many unknown images it
      finds is not known.
    </p>`;
  return html`<p>
      Each of ${plural(leftOut.length, 'class', 'classes')} was left out of the training in turn. AUROC: how often an
      image of the left-out class is stranger than one of a known class; 50 % is chance.
    </p>
    ${htmlTable({
      caption: 'Novelty scores, the best first',
      columns: plain('measure', 'mean AUROC', 'taken'),
      rows: [...measures]
        .sort((a, b) => b.auroc - a.auroc)
        .map((one) => [one.measure, bar(one.auroc, 'c0', figure(one.auroc)), one.measure === measure ? 'yes' : 'no']),
    })}`;
}

function rejected(data: ReportData, { unknown, judged, validated }: Judgement): Content {
  if (unknown === null) return null;
  if (unknown.length === 0)
    return html`<p>None of the validated images${judged.length < validated && ' of this page'} is called unknown.</p>`;
  const { shown, rest } = firstOf(unknown, MOST);
  return html`<h3>Validated images that are called unknown</h3>
    <ul class="cards">
      ${shown.map((at) => {
        const { image, predicted, probability } = judged[at]!;
        return card(
          data,
          image,
          html`<span
            >is <b>${data.images[image]!.label}</b>; best guess <b>${predicted}</b> (${percent(probability)})</span
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
  return html`<p>
      A picture of no known class gets the answer “unknown” where it is too strange. The best head's rule:
    </p>
    ${ruleFacts(rule, rate)}
    ${
      rule.validated.interval[0] > rate &&
      html`<p class="notice">
        That is more than was asked for: the images of ${rule.validated.split} differ from the training images by more
        than chance.
      </p>`
    }
    ${measuresTable(rule)} ${present(judgement) && rejected(data, judgement)}`;
}
