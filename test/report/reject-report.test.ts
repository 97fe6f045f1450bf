import { describe, expect, it } from 'vitest';
import type { RejectResult } from '../../src/results/head-result.ts';
import { rejectLines } from '../../src/report/reject-report.ts';
import { trainText } from '../../src/report/run-report.ts';
import { headResult } from '../support/results.ts';

const rule: NonNullable<RejectResult['rule']> = {
  measure: 'energy',
  threshold: -12.34567,
  calibratedOn: 400,
  measures: [
    { measure: 'first-neighbor', auroc: 0.70049 },
    { measure: 'energy', auroc: 0.8 },
  ],
  leftOut: ['ants', 'bees', 'cats'],
  leftOutRejected: 0.2925,
  validated: {
    split: 'val',
    images: 200,
    rejected: 12,
    share: 0.06,
    interval: [0.03465, 0.1019],
    accuracyOfAnswered: 0.9,
  },
};
const reject: RejectResult = { rate: 0.05, rule, problem: null };

describe('the lines on "unknown"', () => {
  it('tell measure, threshold, why, false rejects and what is caught', () => {
    expect(rejectLines(reject)).toEqual([
      'Unknown: energy above -12.35 (chosen by AUROC with 3 classes left out in turn: first-neighbor 0.700, energy 0.800).',
      'At most 5 % false rejects on 400 training images out of fold; on val 12 of 200 (6 %, 95 % interval 3.5 % .. 10.2 %), accuracy of the rest 0.9000.',
      'Of the images of a class left out 29.3 % are called unknown.',
    ]);
  });

  it('warn where the validated images are rejected more often than chance would have it', () => {
    const validated = { ...rule.validated, interval: [0.07, 0.17] } as const;
    expect(rejectLines({ ...reject, rule: { ...rule, validated } }).at(-1)).toMatch(/^That is more than 5 %/);
  });

  it('say that two classes leave nothing to choose by', () => {
    const [first, , ...more] = rejectLines({
      ...reject,
      rule: { ...rule, measures: [], leftOut: [], leftOutRejected: null },
    });
    expect(first).toContain('(the default: with two classes there is none to leave out)');
    expect(more).toEqual([]);
  });

  it('say why there is no rule', () => {
    expect(rejectLines({ rate: 0.05, rule: null, problem: '10 images are too few' })).toEqual([
      'It never answers "unknown": 10 images are too few.',
    ]);
  });

  it('stand in the text of train', () => {
    expect(trainText(headResult({ reject }))).toContain('\nUnknown: energy above');
    expect(trainText(headResult())).not.toContain('nknown');
  });
});
