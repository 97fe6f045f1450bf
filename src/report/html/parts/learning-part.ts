import { present, type ReportData } from '../../../results/report-data.ts';
import type { HeadResult, LearningCurve } from '../../../results/head-result.ts';
import { html, type Markup, type Content } from '../markup.ts';
import { plotFrame } from '../plot-frame.ts';
import { linePath } from '../shapes.ts';

function panel(title: string, train: readonly number[], held: readonly number[] | undefined, top: number): Markup {
  const drawn = (values: readonly number[], x: (v: number) => number, y: (v: number) => number): string =>
    linePath(values.map((value, i) => [x(i + 1), y(Math.min(value, top))]));
  const ends = (values: readonly number[]): string => `from ${values[0]!.toFixed(3)} to ${values.at(-1)!.toFixed(3)}`;
  return plotFrame(
    {
      width: 380,
      height: 240,
      x: { domain: [1, Math.max(2, train.length)], title: 'epoch' },
      y: { domain: [0, top], title },
      label: `${title} by epoch, ${train.length} epochs: training rows ${ends(train)}${held ? `, held-out rows ${ends(held)}` : ''}.`,
    },
    (x, y): Content => [
      html`<path class="line l0" d="${drawn(train, x.at, y.at)}" />`,
      held !== undefined && html`<path class="line l1" d="${drawn(held, x.at, y.at)}" />`,
    ],
  );
}

function curves({ loss, accuracy, valLoss, valAccuracy }: LearningCurve): Markup {
  const most = Math.max(...loss, ...(valLoss ?? []), 1e-6);
  return html`<div class="pair">
    ${panel('loss', loss, valLoss, most)}${panel('accuracy', accuracy, valAccuracy, 1)}
  </div>`;
}

const learned = (head: HeadResult): head is HeadResult & { learningCurve: LearningCurve } =>
  head.learningCurve !== undefined && head.learningCurve.loss.length > 0;

/** How the heads that learn by epochs came to learn. Null where none does. */
export function learningPart({ run }: ReportData): Markup | null {
  const heads = present(run) ? run.heads.filter(learned) : [];
  if (heads.length === 0) return null;
  const held = heads.some(({ learningCurve }) => learningCurve.valLoss !== undefined);
  return html`<p>
      Heads that learn by epochs. Solid: the training rows as they were
      met${held && '; dashed: the rows that early stopping held out'}.
    </p>
    ${heads.map(
      (head) =>
        html`<figure>
          <figcaption>${head.name} on ${head.pooling}, ${head.normalize}</figcaption>
          ${curves(head.learningCurve)}
        </figure>`,
    )}`;
}
