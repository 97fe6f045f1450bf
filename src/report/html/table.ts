import { html, type Markup, type Content } from './markup.ts';

interface Column {
  readonly title: string;
  /** `n`: numbers, to the right. `out`: a title for screen readers alone. */
  readonly kind?: 'n' | 'out';
}

/** Columns of words or drawings. */
export const plain = (...titles: readonly string[]): Column[] => titles.map((title) => ({ title }));

/** Columns of numbers. */
export const numeric = (...titles: readonly string[]): Column[] => titles.map((title) => ({ title, kind: 'n' }));

/** A column whose title is for screen readers alone. */
export const untitled = (title: string): Column => ({ title, kind: 'out' });

export interface HtmlTable {
  /** A few words: the caption, and the name of the region that scrolls where the table is wider than the page. */
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell heads its row. */
  readonly rows: readonly (readonly Content[])[];
  readonly footer?: readonly Content[];
}

/** A table with headers for rows and columns. */
export function htmlTable({ caption, columns, rows, footer }: HtmlTable): Markup {
  const line = (cells: readonly Content[]): Markup =>
    html`<tr>
      ${cells.map((cell, i) =>
        i === 0
          ? html`<th scope="row">${cell}</th>`
          : html`<td class="${columns[i]!.kind === 'n' ? 'n' : ''}">${cell}</td>`,
      )}
    </tr>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(({ title, kind }) =>
            kind === 'out'
              ? html`<th scope="col"><span class="out">${title}</span></th>`
              : html`<th scope="col" class="${kind ?? ''}">${title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(line)}
      </tbody>
      ${
        footer !== undefined &&
        html`<tfoot>
          ${line(footer)}
        </tfoot>`
      }
    </table>
  </div>`;
}
