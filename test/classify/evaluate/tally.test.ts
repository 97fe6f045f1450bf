import { describe, expect, it } from 'vitest';
import { matrix, selectRows } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { expectedCalibrationError } from '../../../src/classify/evaluate/calibration.ts';
import { logLoss, topClass } from '../../../src/classify/evaluate/metrics.ts';
import { tally } from '../../../src/classify/evaluate/tally.ts';

const CLASSES = ['ant', 'bee', 'cat'];
const ROWS = 50;
const generator = random(1);
const truth = Int32Array.from({ length: ROWS }, () => generator.below(3));
const P = matrix(ROWS, 3);
for (let i = 0; i < ROWS; i++) {
  const odds = [0, 1, 2].map((c) => generator.uniform() + Number(c === truth[i]) * 0.4);
  const sum = odds[0]! + odds[1]! + odds[2]!;
  odds.forEach((odd, c) => (P.data[i * 3 + c] = odd / sum));
}
const labels = Array.from(truth, (c) => CLASSES[c]!);

describe('a tally', () => {
  it('tells of blocks in any order what is told of all rows at once', () => {
    const told = tally(CLASSES, ROWS, 5);
    const order = random(2).shuffle(Array.from({ length: ROWS }, (_, i) => i));
    for (let from = 0; from < ROWS; from += 7) {
      const places = order.slice(from, from + 7);
      told.add(
        selectRows(P, places),
        places.map((i) => labels[i]!),
        places,
      );
    }
    expect(told.truth).toEqual(truth);
    expect(told.guess).toEqual(topClass(P));
    expect(told.logLoss()).toBeCloseTo(logLoss(truth, P), 12);
    expect(told.calibration().error).toBeCloseTo(expectedCalibrationError(truth, P, 10), 12);
    const wrong = [...truth.keys()].filter((i) => told.guess[i] !== truth[i]);
    expect(wrong.length).toBeGreaterThan(5);
    const sure = (i: number): number => P.data[i * 3 + told.guess[i]!]!;
    wrong.sort((a, b) => sure(b) - sure(a) || a - b);
    expect(told.mistakes().map(({ row }) => row)).toEqual(wrong.slice(0, 5));
    expect(told.mistakes()[0]).toEqual({
      row: wrong[0],
      truth: truth[wrong[0]!],
      predicted: told.guess[wrong[0]!],
      probability: sure(wrong[0]!),
    });
  });

  it('counts a class that the head does not know as a mistake', () => {
    const told = tally(['ant', 'bee'], 1, 1);
    told.add(matrix(1, 2, Float32Array.of(0.75, 0.25)), ['wasp'], [0]);
    expect([...told.truth]).toEqual([-1]);
    expect(told.mistakes()).toHaveLength(1);
  });
});
