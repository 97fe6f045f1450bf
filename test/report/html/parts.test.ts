import { describe, expect, it } from 'vitest';
import { present } from '../../../src/core/report-data.ts';
import { confusionPart } from '../../../src/report/html/confusion-part.ts';
import { headsPart } from '../../../src/report/html/heads-part.ts';
import { copiesPart } from '../../../src/report/html/copies-part.ts';
import { escaped } from '../../../src/report/html/markup.ts';
import { colourings } from '../../../src/report/html/map-part.ts';
import { signOf, SIGNS } from '../../../src/report/html/shapes.ts';
import { reportData } from '../../support/report-data.ts';
import { toldApartText } from '../../../src/report/told-apart.ts';
import { headResult, runResult } from '../../support/results.ts';

const heads = [
  headResult({ name: 'softmax', comparison: { pValue: 1, toldApart: false } }),
  headResult({ name: 'knn', comparison: { pValue: 0.4, toldApart: false } }),
  headResult({ name: 'centroid', comparison: { pValue: 0.001, toldApart: true } }),
];
const judgement = (() => {
  const data = reportData();
  if (!present(data.judgement)) throw new Error('no judgement');
  return data.judgement;
})();

describe('the leaderboard', () => {
  it('says which heads cannot be told from the best, in the words of the terminal', () => {
    const data = reportData({ run: runResult({ heads }) });
    const { text } = headsPart(data);
    expect(text).toContain(escaped(toldApartText(heads)));
    const last = [...text.matchAll(/<td[^>]*>\s*(best|yes|no)?\s*<\/td>\s*<\/tr>/g)].map(([, word]) => word);
    expect(last).toEqual(['best', 'no', 'yes']);
  });

  it('of an older version, which compared none, says so', () => {
    const old = heads.map(({ name }) => headResult({ name }));
    const { text } = headsPart(reportData({ run: runResult({ heads: old }) }));
    expect(text).toContain('did not compare them');
    expect(text).not.toMatch(/<td[^>]*>\s*(yes|no)\s*<\/td>/);
  });
});

describe('the confusion matrix', () => {
  it('has a button with words for each cell that holds images, and none for an empty one', () => {
    const { text } = confusionPart(judgement);
    const cells = [...text.matchAll(/data-truth="(\d)"\s+data-predicted="(\d)"/g)].map(([, t, p]) => [t, p]);
    expect(cells).toEqual([
      ['0', '0'],
      ['0', '1'],
      ['1', '0'],
    ]);
    expect(text).toContain('aria-label="bees, taken for ants &lt;b&gt;&amp;&lt;/b&gt;: 1. Show them."');
  });

  it('names the most confused pairs where there are too many classes for a matrix', () => {
    const classes = Array.from({ length: 41 }, (_, i) => ({ ...judgement.classes[0]!, label: `class ${i}` }));
    const confusion = classes.map((_, t) =>
      classes.map((_unused, p) => (t === 3 && p === 7 ? 9 : Number(t === p || p === 0))),
    );
    const { text } = confusionPart({ ...judgement, classes, confusion });
    expect(text).not.toContain('class="confusion"');
    expect(text.match(/data-truth="(\d+)"\s+data-predicted="(\d+)"/)!.slice(1)).toEqual(['3', '7']);
  });
});

describe('the copies', () => {
  it('stand once: what leaks is not told again as equal files', () => {
    const { text } = copiesPart(reportData());
    expect(text).toContain('In train and held out at once: 1');
    expect(text).not.toContain('Other equal files');
    expect(text).toContain('Other near duplicates: 1');
    expect(text).toMatch(/<strong>33\.3 %<\/strong> of all 3/);
    expect(text).toMatch(/<strong>0\.0 %<\/strong> of the 2/);
  });
});

describe('the signs on the map', () => {
  it('differ by colour and by shape for the first seven groups, and by one of them for all of SIGNS', () => {
    const signs = Array.from({ length: SIGNS }, (_, i) => signOf(i));
    expect(new Set(signs.slice(0, 7).map(({ c }) => c)).size).toBe(7);
    expect(new Set(signs.slice(0, 7).map(({ s }) => s)).size).toBe(7);
    expect(new Set(signs.map(({ c, s }) => `${c} ${s}`)).size).toBe(SIGNS);
  });

  it('tell right from wrong from not judged', () => {
    const right = colourings(reportData()).find(({ key }) => key === 'right')!;
    expect([0, 1, 2, 3, 4].map(right.groupOf)).toEqual([0, 1, 1, 2, 2]);
  });
});
