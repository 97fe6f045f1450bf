import type { HeadResult } from '../../../results/head-result.ts';
import { present, type ReportData } from '../../../results/report-data.ts';
import { parameters } from '../../format.ts';
import { accuracyAxis, span } from '../drawn.ts';
import { html, type Markup } from '../markup.ts';
import { figure, percent } from '../numbers.ts';
import { htmlTable, numeric, plain, untitled } from '../table.ts';

/** Features that name their cut: of other cuts than the primary one, or of several side by side. */
const namesCuts = ({ pooling }: HeadResult): boolean => pooling.includes(':');

const settingsOf = ({ name, normalize, params }: HeadResult): string => `${name} ${normalize} ${parameters(params)}`;

/** One head on each cut layer, and on all side by side: which features tell the classes apart. Null for one cut. */
export function cutsPart({ run, store }: ReportData): Markup | null {
  const all = present(run) ? run.heads : [];
  const example = all.find(namesCuts);
  if (example === undefined) return null;
  const wanted = settingsOf(example);
  // The maps of the deepest cut are another question than its depth.
  const heads = all.filter((head) => settingsOf(head) === wanted && head.pooling !== 'flatten');
  const primary = store.sets.find((set) => set.primary)?.cut ?? 'the deepest cut';
  const { least, scale } = accuracyAxis(heads);
  const best = Math.max(...heads.map(({ accuracy }) => accuracy));
  return html`<p>
      The same head, ${example.name} (${parameters(example.changed) || 'defaults'}, ${example.normalize}), on the
      features of each cut layer, and on all of them side by side.
    </p>
    <p class="small">
      Bars: 95 % intervals on an axis from ${percent(least, 0)} to 100 %; the dashed line stands at the best of these.
    </p>
    ${htmlTable({
      caption: 'Cut layers, best first',
      columns: [
        ...plain('features'),
        ...numeric('accuracy'),
        ...plain('95 % interval'),
        untitled('interval drawn'),
        ...numeric('log loss'),
      ],
      rows: heads.map((head) => [
        namesCuts(head) ? head.pooling.replaceAll(',', ' + ') : `${primary}:${head.pooling}`,
        figure(head.accuracy),
        html`<span class="together">${figure(head.interval[0])} to ${figure(head.interval[1])}</span>`,
        span(head.accuracy, head.interval, scale, best),
        figure(head.logLoss),
      ]),
    })}`;
}
