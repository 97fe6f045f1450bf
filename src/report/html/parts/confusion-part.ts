import type { Judgement } from '../../../results/report-data.ts';
import { html, type Markup } from '../markup.ts';
import { count, percent } from '../numbers.ts';
import { htmlTable, numeric, plain } from '../table.ts';

/** Classes up to which the matrix is drawn whole. */
const MOST_CLASSES = 40;
const MOST_PAIRS = 60;

interface Cell {
  /** Indices into the judgement's classes. */
  readonly t: number;
  readonly p: number;
  readonly truth: string;
  readonly predicted: string;
  readonly images: number;
  /** Of the images of the true class. */
  readonly share: number;
}

function cellsOf({ classes, confusion }: Judgement): Cell[] {
  return confusion.flatMap((line, t) =>
    line.map((images, p) => ({
      t,
      p,
      truth: classes[t]!.label,
      predicted: classes[p]!.label,
      images,
      share: images / Math.max(1, classes[t]!.support),
    })),
  );
}

function opener({ t, p, truth, predicted, images }: Cell): Markup {
  const words = t === p ? `${truth}, right` : `${truth}, taken for ${predicted}`;
  return html`<button
    type="button"
    class="cell"
    data-truth="${t}"
    data-predicted="${p}"
    aria-label="${words}: ${images}. Show them."
    aria-controls="cell"
  >
    ${count(images)}
  </button>`;
}

function matrix(judgement: Judgement, cells: readonly Cell[]): Markup {
  const k = judgement.classes.length;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
    <table class="confusion">
      <caption>
        Confusion matrix
      </caption>
      <thead>
        <tr>
          <td></td>
          ${judgement.classes.map(({ label }) => html`<th scope="col">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${judgement.classes.map(
          ({ label }, t) =>
            html`<tr>
              <th scope="row">${label}</th>
              ${cells
                .slice(t * k, (t + 1) * k)
                .map(
                  (cell, p) =>
                    html`<td
                      class="${t === p ? 'right' : 'wrong'}${cell.images > 0 && ` shade${Math.ceil(cell.share * 5)}`}"
                    >
                      ${cell.images === 0 ? html`<span class="zero">0</span>` : opener(cell)}
                    </td>`,
                )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function pairs(cells: readonly Cell[]): Markup {
  const wrong = cells
    .filter(({ t, p, images }) => t !== p && images > 0)
    .sort((a, b) => b.images - a.images || b.share - a.share);
  return htmlTable({
    caption: `The ${Math.min(MOST_PAIRS, wrong.length)} most confused of ${count(wrong.length)} pairs`,
    columns: [...plain('is', 'taken for'), ...numeric('images', 'of the class')],
    rows: wrong.slice(0, MOST_PAIRS).map((cell) => [cell.truth, cell.predicted, opener(cell), percent(cell.share)]),
  });
}

/** The confusion matrix whose cells open their images; of very many classes the most confused pairs. */
export function confusionPart(judgement: Judgement): Markup {
  const cells = cellsOf(judgement);
  const whole = judgement.classes.length <= MOST_CLASSES;
  return html`<p>
      ${whole && 'Rows: what the images are; columns: what the head takes them for; shade: share of the row. '}Choose a
      number (click, or Tab and Enter) to see its images, each with its nearest training
      images.${
        !whole &&
        ` ${count(judgement.classes.length)} classes are too many for a matrix: the pairs that are confused most stand here.`
      }
    </p>
    ${whole ? matrix(judgement, cells) : pairs(cells)}
    <section id="cell" aria-labelledby="cell-title" hidden>
      <h3 id="cell-title" tabindex="-1"></h3>
      <ul class="cards" id="cell-images"></ul>
      <p>
        <button type="button" id="cell-more">Show more</button>
        <button type="button" id="cell-back">Back to the numbers</button>
      </p>
    </section>`;
}
