import type { Range3, ReportData } from '../../../results/report-data.ts';
import { SPLITS } from '../../../core/sample.ts';
import { bytes } from '../../format.ts';
import { html, type Markup } from '../markup.ts';
import { count, firstOf } from '../numbers.ts';
import { htmlTable, numeric, plain } from '../table.ts';

const range = ([least, median, most]: Range3): string =>
  least === most ? `${least}` : `${least} to ${most}, median ${median}`;

const MOST_CLASSES = 200;
const MOST_FAILURES = 100;

/** What the data set is: classes, images a split, sizes, failures. */
export function datasetPart({ store, sizes }: ReportData): Markup {
  const splits = SPLITS.filter((split) => store.classes.some((entry) => (entry.splits[split] ?? 0) > 0));
  const total = (split: (typeof SPLITS)[number]): number =>
    store.classes.reduce((sum, entry) => sum + (entry.splits[split] ?? 0), 0);
  const classes = firstOf(store.classes, MOST_CLASSES);
  const failures = firstOf(store.failed, MOST_FAILURES);
  return html`<dl>
      <dt>Folder</dt>
      <dd class="path">${store.dataset}</dd>
      <dt>Images</dt>
      <dd>${count(store.images)} with features, ${count(store.failed.length)} failed</dd>
      ${
        sizes &&
        html`<dt>Width</dt>
          <dd>${range(sizes.width)} pixels</dd>
          <dt>Height</dt>
          <dd>${range(sizes.height)} pixels</dd>`
      }
      <dt>Store</dt>
      <dd><span class="path">${store.store}</span>, ${bytes(store.bytes)}</dd>
    </dl>
    ${htmlTable({
      caption: 'Images by class and split',
      columns: [...plain('class'), ...numeric(...splits)],
      rows: classes.shown.map((entry) => [entry.label, ...splits.map((split) => count(entry.splits[split] ?? 0))]),
      footer: [`all ${count(store.classes.length)}`, ...splits.map((split) => count(total(split)))],
    })}
    <p>${classes.rest}</p>
    ${
      store.failed.length > 0 &&
      html`<h3>Images that failed</h3>
        <ul>
          ${failures.shown.map(
            ({ path, code, reason }) => html`<li><span class="path">${path}</span>: ${code}, ${reason}</li>`,
          )}
        </ul>
        <p>${failures.rest}</p>`
    }`;
}
