import { describe, expect, it } from 'vitest';
import type { RejectResult } from '../../src/results/head-result.ts';
import { rejectLines } from '../../src/report/reject-report.ts';
import { trainText } from '../../src/report/run-report.ts';
import { headResult } from '../support/results.ts';

const rule: NonNullable<RejectResult['rule']> = {
  measure: 'energy',
  threshold: -12.34567,
  calibratedOn: 400,
  rateInterval: [0.025, 0.084],
  measures: [
    { measure: 'first-neighbor', auroc: 0.70049 },
    { measure: 'energy', auroc: 0.8 },
  ],
  leftOut: ['ants', 'bees', 'cats'],
  leftOutRejected: 0.2925,
  leftOutClasses: [
    { label: 'ants', auroc: 0.9, rejected: 0.5 },
    { label: 'bees', auroc: 0.8, rejected: 0.2775 },
    { label: 'cats', auroc: 0.7, rejected: 0.1 },
  ],
  validated: {
    split: 'val',
    images: 200,
    rejected: 12,
    share: 0.06,
    interval: [0.03465, 0.1019],
    chance: 0.3,
    accuracyOfAnswered: 0.9,
  },
};
const reject: RejectResult = { rate: 0.05, rule, problem: null };

describe('the lines on "unknown"', () => {
  it('tell measure, threshold, why, false rejects and what is caught', () => {
    expect(rejectLines(reject)).toEqual([
      'Unknown: energy above -12.35 (mean AUROC with 3 classes left out in turn: first-neighbor 0.700, energy 0.800).',
      "False rejects: 5 % at most on average over training sets, by 400 training images out of fold; this rule's own share lies between 2.5 % and 8.4 % (95 %). On val 12 of 200 (6 %, 95 % interval 3.5 % .. 10.2 %), accuracy of the rest 0.9000.",
      'Of the images of a class left out 29.3 % are called unknown on average, from 10 % of cats to 50 % of ants.',
    ]);
  });

  it('warn where the validated images are rejected more often than chance would have it', () => {
    const lines = (chance: number) =>
      rejectLines({ ...reject, rule: { ...rule, validated: { ...rule.validated, chance } } });
    expect(lines(0.02).at(-1)).toMatch(
      /^So many are not chance \(p 0\.020\): the images of val differ from the training images\. Of new photographs/,
    );
    expect(lines(0.0001).at(-1)).toContain('(p < 0.001)');
    expect(lines(0.1).at(-1)).toMatch(
      /^That is more than the 5 % asked for, which may be chance \(p 0\.100\), or val differs a little from the training/,
    );
    expect(lines(0.3)).toHaveLength(3);
  });

  it('name the strangest of them, and say what it means for new photographs', () => {
    const strangeness = { measure: 'energy', value: -1, threshold: -12, rate: 0.05, lessStrange: 0.9975 };
    const strangest = [
      { path: 'val/ants/1.jpg', label: 'ants', guess: 'ants', strangeness },
      { path: 'val/bees/2.jpg', label: 'bees', guess: 'ants', strangeness: { ...strangeness, lessStrange: null } },
    ];
    const validated = { ...rule.validated, chance: 0.001, rejectedRight: 10, strangest };
    expect(rejectLines({ ...reject, rule: { ...rule, validated } }).at(-1)).toBe(
      'So many are not chance (p 0.001): the images of val differ from the training images. The most unusual: val/ants/1.jpg (less like any known class than 99.7 % of the training images); val/bees/2.jpg. Of new photographs like those of val about 1 in 17 will be marked as unusual. The mark takes no answer away: the best guess stands before it, and is right for 10 of these 12.',
    );
  });

  it('of a result that an older version wrote have neither a range nor an alarm', () => {
    const without = <T extends object>(of: T, ...keys: string[]): T =>
      Object.fromEntries(Object.entries(of).filter(([key]) => !keys.includes(key))) as T;
    const older = without(rule, 'rateInterval', 'leftOutClasses');
    const lines = rejectLines({ ...reject, rule: { ...older, validated: without(rule.validated, 'chance') } });
    expect(lines.slice(1)).toEqual([
      'False rejects: 5 % at most on average over training sets, by 400 training images out of fold. On val 12 of 200 (6 %, 95 % interval 3.5 % .. 10.2 %), accuracy of the rest 0.9000.',
      'Of the images of a class left out 29.3 % are called unknown on average.',
    ]);
  });

  it('say that two classes leave nothing to choose by', () => {
    const [first, , ...more] = rejectLines({
      ...reject,
      rule: { ...rule, measures: [], leftOut: [], leftOutRejected: null, leftOutClasses: [] },
    });
    expect(first).toContain('(the default: there was no class to leave out)');
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
