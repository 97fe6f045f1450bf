import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256Base64 } from '../../../src/core/digest.ts';
import { htmlReport } from '../../../src/report/html/page.ts';
import { HOSTILE, LABEL, reportData } from '../../support/report-data.ts';

const script = readFileSync(new URL('../../../src/report/html/client.js', import.meta.url), 'utf8');
const options = { script, command: "npx permafrost run '/pictures/Ants <1>'" };
const page = htmlReport(reportData(), options);
const between = (text: string, start: string, end: string): string =>
  text.slice(text.indexOf(start) + start.length, text.indexOf(end, text.indexOf(start)));

describe('htmlReport', () => {
  it('shows what it shows as text: no name becomes markup', () => {
    const markup = page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '');
    for (const piece of ['<script>alert', '" onerror=', '<img src=x', '<b>&</b>', '<!--', '<i>.jpg', '<x>'])
      expect(markup).not.toContain(piece);
    expect(markup).toContain('val/ants/&lt;script&gt;alert(1)&lt;/script&gt;.jpg');
    expect(markup).toContain('train/ants/🐜 &amp; 🐝&lt;!--.jpg');
    expect(markup).toContain('two\\nlines\\u202egnp.jpg');
    expect(markup).toContain('/pictures/Ants &lt;1&gt;');
  });

  it('has no inline handler, no style attribute and no address of another file', () => {
    const markup = page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '').replaceAll(/"[^"]*"/g, '""');
    expect(markup).not.toMatch(/<[^>]*\son\w+\s*=/i);
    expect(markup).not.toMatch(/<[^>]*\sstyle\s*=/i);
    expect(page.replaceAll(/<script[\s\S]*?<\/script>/g, '')).not.toMatch(/(?:src|href)="(?!#)/);
    expect(page).not.toMatch(/@import|url\(/);
  });

  it('allows its own script and style by their digests, and nothing else', () => {
    const policy = between(page, 'http-equiv="Content-Security-Policy" content="', '" />').replaceAll('&#39;', "'");
    const [style, own] = [between(page, '<style>', '</style>'), between(page, '<script type="module">', '</script>')];
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      'img-src data:',
      `style-src 'sha256-${sha256Base64(style)}'`,
      `script-src 'sha256-${sha256Base64(own)}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });

  it('carries for its script the images, predictions and neighbours by number', () => {
    const data = JSON.parse(between(page, '<script type="application/json" id="data">', '</script>')) as Record<
      string,
      unknown
    >;
    expect(data).toMatchObject({ labels: [LABEL, 'bees'], classes: [0, 1], neighbors: { 1: [[4, 0.25]] } });
    expect(data.images).toEqual([
      [HOSTILE[0], 0, 1, 0, 0.8],
      [HOSTILE[1], 0, 1, 1, 0.9],
      [HOSTILE[2], 1, 1, 0, 0.85],
      [HOSTILE[3], 0, 0],
      ['train/bees/two\\nlines\\u202egnp.jpg', 1, 0],
    ]);
  });

  it('keeps each picture once, and says which are not there and why', () => {
    expect(page.split('UklGRg==')).toHaveLength(2);
    expect(page).toMatch(/Pictures of 1 of 5\s+images/);
    expect(page).toMatch(/3\s+are left out to keep it small/);
    expect(page).toMatch(/1\s+could not be shown/);
    expect(page).toContain('no picture');
  });

  it('says for each part what is missing where a store has no run', () => {
    const missing = { missing: 'No heads were compared.' };
    const bare = htmlReport(reportData({ run: missing, judgement: missing, map: { missing: 'No map.' } }), {
      script,
      command: null,
    });
    expect(bare.split('No heads were compared.').length - 1).toBe(7);
    expect(bare).toContain('No map.');
    expect(bare).toContain('no command is given that repeats it');
  });

  it('gives equal bytes for equal data', () => {
    expect(htmlReport(reportData(), options)).toBe(page);
  });
});
