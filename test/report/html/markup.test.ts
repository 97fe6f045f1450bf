import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedJson, escaped, html, trusted } from '../../../src/report/html/markup.ts';
import { HOSTILE } from '../../support/report-data.ts';

describe('html', () => {
  it('takes every value for text unless it is markup', () => {
    expect(html`<p title="${'"x" \'y\''}">${'<b>&'} ${html`<i>${1}</i>`}</p>`.text).toBe(
      '<p title="&quot;x&quot; &#39;y&#39;">&lt;b&gt;&amp; <i>1</i></p>',
    );
    expect(html`${trusted('<hr>')}${'<hr>'}`.text).toBe('<hr>&lt;hr&gt;');
  });

  it('joins lists and leaves out what is not there, but not zeros', () => {
    expect(html`${[html`<hr />`, 'b', [0]]}${null}${undefined}${false}`.text).toBe('<hr />b0');
  });

  it('shows control characters and marks that turn the writing direction', () => {
    expect(escaped(HOSTILE[4])).toBe('train/bees/two\\nlines\\u202egnp.jpg');
  });

  it('leaves nothing of any text that could be markup or leave a quoted attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(html`${text}`.text).not.toMatch(/[<>"']/);
      }),
    );
  });
});

describe('embeddedJson', () => {
  it('closes no script element and is read back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...HOSTILE, '</script>', '<!--'))), (texts) => {
        const { text } = embeddedJson(texts);
        expect(text).not.toContain('<');
        expect(JSON.parse(text)).toEqual(texts);
      }),
    );
  });
});
