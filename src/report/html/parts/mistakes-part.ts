import type { Judgement, ReportData } from '../../../results/report-data.ts';
import { html, type Markup } from '../markup.ts';
import { figure, percent } from '../numbers.ts';
import { card } from '../pictures.ts';

/** The surest mistakes, each with the training images that look most like it. */
export function mistakesPart(data: ReportData, { mistakes, judged }: Judgement): Markup {
  if (mistakes.length === 0) return html`<p>The head makes no mistake on the validated images.</p>`;
  return html`<p>
      What the head is sure of and wrong about: wrong labels, unlike pictures, or what the features do not tell apart.
    </p>
    <ul class="cards">
      ${mistakes.map((at) => {
        const { image, predicted, probability, neighbors } = judged[at]!;
        return card(
          data,
          image,
          html`<span
            >is <b>${data.images[image]!.label}</b>, taken for <b>${predicted}</b> (${percent(probability)})</span
          >`,
          neighbors.map((near) => ({
            image: near.image,
            words: html`<span>${data.images[near.image]!.label}, ${figure(near.distance)}</span>`,
          })),
        );
      })}
    </ul>`;
}
