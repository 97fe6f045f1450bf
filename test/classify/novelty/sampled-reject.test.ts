import { describe, expect, it } from 'vitest';
import { selectRows } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { detectUnknown } from '../../../src/classify/novelty/reject.ts';
import { chooseSampledReject, ROW_MEASURES } from '../../../src/classify/novelty/sampled-reject.ts';
import { rejection } from '../../support/errors.ts';
import { blobs } from '../heads/head-contract.ts';

const CLASSES = ['ant', 'bee', 'cat', 'dog'];

/** Rows of the same distribution: some to compare with, some to calibrate on, some that nobody saw. */
function parts(classes: readonly string[], each: number) {
  const { X, y } = blobs(classes, 3 * each, 16);
  const size = classes.length * each;
  const part = (at: number): Sampled => {
    const rows = Array.from({ length: size }, (_, i) => at * size + i);
    return { X: selectRows(X, rows), labels: rows.map((i) => y[i]!) };
  };
  return [part(0), part(1), part(2)] as const;
}
type Sampled = Parameters<typeof chooseSampledReject>[1];

describe('a rule for unknown by distances to a sample', () => {
  it.each([0.05, 0.2])(
    'rejects no more than the stated share of rows that nobody saw, whatever head was fitted on all others: %d',
    async (rate) => {
      const [reference, calibration, fresh] = parts(CLASSES, 500);
      const all = blobs(CLASSES, 1000, 16);
      const head = await createHead('logistic').fit(matrixRows(all.X), all.y);
      const choice = await chooseSampledReject(reference, calibration, { rate, seed: 1 });
      if ('reason' in choice) throw new Error(choice.reason);
      const { unknown } = await detectUnknown(choice.reject, head, fresh.X);
      const share = unknown.filter(Boolean).length / unknown.length;
      // 2,000 of each: four standard deviations of the difference of two shares.
      expect(Math.abs(share - rate)).toBeLessThan(4 * Math.sqrt((2 * rate * (1 - rate)) / 2000));
      expect(choice.calibratedOn).toBe(2000);
      expect(choice.leftOut.map(({ label }) => label)).toEqual(CLASSES);
      expect(choice.measures.map(({ measure }) => measure)).toEqual(ROW_MEASURES);
      // Classes apart by far: nearly every row of one that is left out is strange, and no measure clearly better.
      expect(choice.reject.measure).toBe('mean-distance');
      for (const one of choice.leftOut) {
        expect(one.auroc).toBeGreaterThan(0.95);
        expect(one.rejected).toBeGreaterThan(0.9);
      }
      expect(await chooseSampledReject(reference, calibration, { rate, seed: 1 })).toEqual(choice);
    },
  );

  it('takes the default for two classes, and says where too few rows are left to promise the share', async () => {
    const [reference, calibration] = parts(['ant', 'bee'], 20);
    const two = await chooseSampledReject(reference, calibration, { rate: 0.05, seed: 1 });
    expect(two).toMatchObject({ reject: { measure: 'mean-distance' }, leftOut: [] });
    const few = await chooseSampledReject(reference, calibration, { rate: 0.01, seed: 1 });
    expect(few).toMatchObject({
      reason: expect.stringMatching(/^40 training images .* 99 are needed$/) as string,
    });
  });

  it('ends when it is told to', async () => {
    const [reference, calibration] = parts(CLASSES, 20);
    const context = { signal: AbortSignal.abort() };
    await rejection(chooseSampledReject(reference, calibration, { rate: 0.05, seed: 1, context }), 'INTERRUPTED');
  });
});
