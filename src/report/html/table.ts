import { html, type Markup, type Content } from './markup.ts';

export interface HtmlTable {
  /** A few words: the caption, and the name of the region that scrolls where the table is wider than the page. */
  readonly caption: string;
  /** `n`: numbers, to the right. `out`: a title for screen readers alone. */
  readonly columns: readonly { readonly title: string; readonly kind?: 'n' | 'out' }[];
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
