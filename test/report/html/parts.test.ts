import { describe, expect, it } from 'vitest';
import { present } from '../../../src/core/report-data.ts';
import { confusionPart } from '../../../src/report/html/confusion-part.ts';
import { headsPart, indistinguishable } from '../../../src/report/html/heads-part.ts';
import { copiesPart } from '../../../src/report/html/copies-part.ts';
import { colourings } from '../../../src/report/html/map-part.ts';
import { signOf, SIGNS } from '../../../src/report/html/shapes.ts';
import { reportData } from '../../support/report-data.ts';
import { headResult, runResult } from '../../support/results.ts';

const heads = [
  headResult({ name: 'softmax', accuracy: 0.9, interval: [0.85, 0.94] }),
  headResult({ name: 'knn', accuracy: 0.87, interval: [0.8, 0.85] }),
  headResult({ name: 'centroid', accuracy: 0.7, interval: [0.6, 0.849] }),
];
const judgement = (() => {
  const data = reportData();
  if (!present(data.judgement)) throw new Error('no judgement');
  return data.judgement;
})();

describe('the leaderboard', () => {
  it('tells a head apart only where its interval ends below that of the best', () => {
    expect(indistinguishable(heads).map(({ name }) => name)).toEqual(['softmax', 'knn']);
  });

  it('says how many cannot be told apart, and by which rule', () => {
    const text = headsPart(reportData({ run: runResult({ heads }) })).text;
    expect(text).toContain('1 head of 2 cannot be told apart from the best, softmax on avg.');
    expect(text).toContain('The rule:');
    const all = headsPart(reportData({ run: runResult({ heads: heads.slice(0, 2) }) })).text;
    expect(all).toContain('No head can be told apart from the best');
    const none = headsPart(reportData({ run: runResult({ heads: [heads[0]!, heads[2]!] }) })).text;
    expect(none).toContain('All other heads can be told apart');
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
