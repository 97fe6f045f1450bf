import { describe, expect, it } from 'vitest';
import { present } from '../../../src/results/report-data.ts';
import { confusionPart } from '../../../src/report/html/parts/confusion-part.ts';
import { cutsPart } from '../../../src/report/html/parts/cuts-part.ts';
import { headsPart } from '../../../src/report/html/parts/heads-part.ts';
import { copiesPart } from '../../../src/report/html/parts/copies-part.ts';
import { escaped } from '../../../src/report/html/markup.ts';
import { colourings } from '../../../src/report/html/parts/map-part.ts';
import { signOf, SIGNS } from '../../../src/report/html/shapes.ts';
import { strategiesPart } from '../../../src/report/html/parts/strategies-part.ts';
import { unknownPart } from '../../../src/report/html/parts/unknown-part.ts';
import { viewsPart } from '../../../src/report/html/parts/views-part.ts';
import { reportData } from '../../support/report-data.ts';
import { adviceSentences, strategiesRule } from '../../../src/report/strategies-report.ts';
import { toldApartText } from '../../../src/report/told-apart.ts';
import { headResult, runResult } from '../../support/results.ts';
import { strategiesResult } from '../../support/strategies.ts';

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

const flat = (text: string): string =>
  text
    .replaceAll(/<svg[\s\S]*?<\/svg>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('the cuts', () => {
  const on = (pooling: string, accuracy: number, given = {}) =>
    headResult({ pooling, accuracy, interval: [accuracy - 0.1, accuracy + 0.05], ...given });

  it('stand in a place of their own: the same head on each layer, others apart', () => {
    const run = runResult({
      heads: [
        on('flatten', 0.9512),
        on('block5_pool:avg,block4_pool:avg', 0.94),
        on('avg', 0.92),
        on('block4_pool:avg', 0.9),
        on('avg', 0.8912, { name: 'knn', params: {}, changed: {} }),
        on('avg', 0.8812, { params: { C: 10, tol: 1e-4, views: 5 } }),
      ],
    });
    const words = flat(cutsPart(reportData({ run }))!.text);
    expect(words).toMatch(
      /block5_pool:avg \+ block4_pool:avg 0\.9400 .* block5_pool:avg 0\.9200 .* block4_pool:avg 0\.9000/,
    );
    expect(words).not.toMatch(/0\.9512|0\.8912|0\.8812/);
  });

  it('have no place where one cut was extracted', () => {
    expect(cutsPart(reportData({ run: runResult({ heads: [on('avg', 0.9)] }) }))).toBeNull();
    expect(cutsPart(reportData({ run: { missing: 'none' } }))).toBeNull();
  });
});

describe('the views', () => {
  const views = { count: 5, accuracyWithout: 0.84, difference: -0.02, pValue: 0.375 } as const;

  it('are told beside the same head without them, with an interval and whether it tells anything', () => {
    const heads = [
      headResult({ accuracy: 0.82, views: { ...views, interval: [-0.046, 0] } }),
      headResult({
        name: 'softmax',
        accuracy: 0.9,
        views: { ...views, difference: 0.06, interval: [0.01, 0.1], pValue: 0.031 },
      }),
      headResult({
        name: 'knn',
        accuracy: 0.7,
        views: { ...views, difference: -0.14, interval: [-0.2, -0.1], pValue: 1e-5 },
      }),
      // An interval beside zero and a test that tells nothing: the test counts.
      headResult({ name: 'ridge', views: { ...views, difference: 0.026, interval: [0.007, 0.052], pValue: 0.125 } }),
      headResult({ name: 'centroid' }),
    ];
    const words = flat(viewsPart(reportData({ run: runResult({ heads }) }))!.text);
    expect(words).toMatch(
      /logistic avg, l2 5 0\.8200 0\.8400 −0\.0200 −0\.0460 to \+0\.0000 0\.375 no difference can be told/,
    );
    expect(words).toMatch(
      /softmax .* 0\.031 the views helped .*knn .* &lt;0\.001 the views hurt .*ridge .* 0\.125 no difference/,
    );
    expect(words).not.toContain('centroid');
  });

  it('have no place where no head was trained on some', () => {
    expect(viewsPart(reportData())).toBeNull();
  });
});

describe('the rule for unknown', () => {
  const validated = {
    split: 'val',
    images: 200,
    rejected: 8,
    share: 0.04,
    interval: [0.02, 0.077],
    accuracyOfAnswered: 0.83,
  } as const;
  const rule = {
    measure: 'mean-distance',
    threshold: 0.5159,
    calibratedOn: 400,
    measures: [
      { measure: 'energy', auroc: 0.71 },
      { measure: 'mean-distance', auroc: 0.79 },
    ],
    leftOut: ['ants', 'bees', 'cats'],
    leftOutRejected: 0.19,
    validated,
  } as const;
  const part = (reject: object | undefined, judged = judgement): string =>
    flat(
      unknownPart(
        reportData({
          judgement: judged,
          run: runResult({ heads: [headResult(reject === undefined ? {} : { reject: reject as never })] }),
        }),
      ).text,
    );

  it('is told with threshold, false rejects, what it finds, and the AUROC of every measure, the best first', () => {
    const words = part({ rate: 0.05, rule, problem: null });
    expect(words).toContain('unusual where mean-distance is above 0.5159');
    expect(words).toContain(
      'at most 5.0 % false rejects on average over training sets; the threshold stands on 400 training images',
    );
    expect(words).toContain('8 of 200 images of val: 4.0 % (95 % interval 2.0 % to 7.7 %)');
    expect(words).toContain('83.0 % of them right');
    expect(words).toContain('Of the images of a class left out 19 % are called unknown on average.');
    expect(words).toMatch(/mean-distance 0\.7900 yes energy 0\.7100 no/);
    expect(words).not.toContain('are not chance');
  });

  it('shows the validated images that it rejects, and says where there are none', () => {
    expect(part({ rate: 0.05, rule, problem: null })).toMatch(/marked as unusual .* \(\d+\.\d %\), unusual; is /);
    expect(part({ rate: 0.05, rule, problem: null }, { ...judgement, unknown: [] })).toContain(
      'None of the validated images is marked as unusual.',
    );
  });

  it('warns where the validated images are clearly rejected more often than was asked for', () => {
    const often = { ...rule, validated: { ...validated, rejected: 20, share: 0.1, chance: 0.01 } };
    expect(part({ rate: 0.05, rule: often, problem: null })).toContain(
      'So many are not chance (p 0.010): the images of val differ from the training images.',
    );
  });

  it('says so where there is no rule, and why', () => {
    expect(part(undefined)).toContain('has no rule');
    expect(part({ rate: 0.05, rule: null, problem: 'too few images' })).toContain(
      'never answers “unknown”: too few images.',
    );
    expect(part({ rate: 0.05, rule: { ...rule, measures: [], leftOut: [] }, problem: null })).toContain(
      'No class could be left out to compare measures',
    );
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
    expect(text).toContain('Other copies: 1');
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

describe('the four strategies', () => {
  const of = (given = {}) =>
    strategiesPart(reportData({ run: runResult({ heads, strategies: strategiesResult(given) }) }))!;

  it('have a part where a run tried them, with the words of the terminal', () => {
    expect(strategiesPart(reportData({ run: runResult({ heads }) }))).toBeNull();
    const { text } = of();
    for (const words of [...adviceSentences(strategiesResult().advice), strategiesRule(strategiesResult())])
      expect(text).toContain(escaped(words));
    expect(flat(text)).toContain('all layers: an epoch takes 4 min 2 s');
  });

  it('draw log loss and accuracy by the epoch, on the held-out part and on the validated images', () => {
    const { text } = of();
    const labels = [...text.matchAll(/aria-label="(rate[^"]*)"/g)].map(([, label]) => label);
    expect(labels).toEqual([
      'rate 0.0001, four fifths of Train: log loss by epoch: held-out part from 0.3100 to 0.1500, validated images from 0.2000 to 0.1200.',
      'rate 0.0001, four fifths of Train: accuracy by epoch: held-out part from 0.9000 to 0.9500, validated images from 0.9300 to 0.9600.',
    ]);
    const paths = [...text.matchAll(/<path class="line l[01]" d="([^"]*)"/g)].map(([, path]) => path!);
    expect(paths).toHaveLength(4);
    expect(new Set(paths).size).toBe(4);
    for (const path of paths) expect(path).toMatch(/^M[\d.]+,[\d.]+L[\d.]+,[\d.]+$/);
  });

  it('draw no line where images were not watched', () => {
    const [, tuned] = strategiesResult().trials;
    const epochs = tuned!.curves[0]!.epochs.map((epoch) => ({ ...epoch, val: null }));
    const { text } = of({ trials: [{ ...tuned!, curves: [{ name: 'rate 1', epochs }] }] });
    expect(text).toContain('log loss by epoch: held-out part from 0.3100 to 0.1500."');
  });
});
