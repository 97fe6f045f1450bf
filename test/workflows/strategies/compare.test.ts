import { describe, expect, it } from 'vitest';
import type { FinetuneResult } from '../../../src/results/finetune-result.ts';
import { comparedTrials, pairedWith } from '../../../src/workflows/strategies/compare.ts';
import { tunedTrial } from '../../../src/workflows/strategies/tuned-trial.ts';
import { strategyTrial } from '../../support/strategies.ts';

const truth = Int32Array.from({ length: 40 }, (_, i) => i % 2);
/** Answers that are wrong on some of the images. */
const answers = (wrong: readonly number[], loss: number) => ({
  truth,
  guess: truth.map((c, i) => (wrong.includes(i) ? 1 - c : c)),
  losses: Float64Array.from(truth, (_, i) => (wrong.includes(i) ? loss + 1 + (i % 3) / 10 : loss)),
});
const frozen = answers([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0.2);

describe('the trials beside the frozen head', () => {
  it('are compared image by image, adjusted for their number', () => {
    const better = pairedWith(strategyTrial(), answers([0, 39], 0.1), frozen);
    const same = pairedWith(strategyTrial({ name: 'the same' }), frozen, frozen);
    const [first, second] = comparedTrials([better, same], truth.length);
    expect(first).toMatchObject({ accuracy: 0.95, name: strategyTrial().name });
    // 9 images that it alone has right, 1 that the frozen head alone: 2 * (1 + 10) / 2^10.
    expect(first!.comparison).toMatchObject({ onlyThis: 9, onlyFrozen: 1, difference: 0.2 });
    expect(first!.comparison!.pValue).toBeCloseTo(22 / 1024, 10);
    expect(first!.comparison!.adjusted).toBeCloseTo(44 / 1024, 10);
    expect(first!.comparison!.logLossDifference).toBeLessThan(-0.1);
    expect(first!.comparison!.logLossPValue).toBeLessThan(first!.comparison!.logLossAdjusted);
    expect(second!.comparison).toMatchObject({ difference: 0, pValue: 1, adjusted: 1, logLossDifference: 0 });
  });
});

/** A fine-tuning of two rates and two epochs; the second rate is the best on the held-out part. */
function finetuned(kept: 'tuned' | 'frozen'): FinetuneResult {
  const score = (accuracy: number, logLoss: number) => ({ accuracy, logLoss });
  const heldOut = (logLoss: number) => ({ ...score(0.9, logLoss), gain: 0.3 - logLoss, gainError: 0.01 });
  const trial = (rate: number, losses: readonly number[]) => ({
    rate,
    epochs: [0.3, ...losses].map((loss, epoch) => ({
      epoch,
      heldOut: heldOut(loss),
      val: score(0.8, 1 + loss),
      seconds: 1,
    })),
  });
  const isTuned = kept === 'tuned';
  const result = {
    C: 30,
    heldOut: 49,
    trials: [trial(1e-4, [0.28, 0.29]), trial(3e-5, [0.25, 0.26])],
    choice: { kept, rate: 3e-5, epochs: 1, reason: 'Because.' },
    limit: { reason: 'Half of it had room.' },
    refit: isTuned
      ? [
          { epoch: 0, val: score(0.93, 0.2), seconds: 0 },
          { epoch: 1, val: score(0.95, 0.15), seconds: 2 },
        ]
      : [],
    frozen: { ...score(0.93, 0.2), interval: [0.88, 0.96] },
    tuned: isTuned ? { ...score(0.95, 0.15), interval: [0.9, 0.97] } : null,
    comparison: isTuned
      ? {
          difference: 0.02,
          interval: [-0.01, 0.05],
          accuracy: { onlyFirst: 5, onlySecond: 2, pValue: 0.45 },
          logLossPValue: 0.03,
        }
      : null,
    file: '/heads/tuned.safetensors',
  };
  return result as unknown as FinetuneResult;
}

const as = { strategy: 'freeze-early', name: 'layers' } as const;
const cost = { seconds: 12, peakBytes: 1e9 };

describe('a fine-tuning as a trial', () => {
  it('has the figures of its network, its curves by rate and on all of Train, and what chose it', () => {
    const { trial, paired } = tunedTrial(as, finetuned('tuned'), cost);
    expect(trial).toMatchObject({ ...as, ...cost, accuracy: 0.95, logLoss: 0.15, kept: 'tuned' });
    expect(trial.chosen).toEqual({ rate: 3e-5, epochs: 1, C: 30 });
    expect(trial.heldOut).toEqual({
      by: 'part',
      images: 49,
      accuracy: 0.9,
      logLoss: 0.25,
      frozen: { accuracy: 0.9, logLoss: 0.3 },
    });
    expect(trial.curves.map(({ name, epochs }) => [name, epochs.length])).toEqual([
      ['rate 0.0001, four fifths of Train', 3],
      ['rate 0.00003, four fifths of Train', 3],
      ['all of Train', 2],
    ]);
    expect(trial.curves[2]!.epochs[1]).toEqual({ epoch: 1, heldOut: null, val: { accuracy: 0.95, logLoss: 0.15 } });
    expect(trial.remarks).toEqual(['Half of it had room.', 'Because.']);
    expect(paired).toEqual({
      accuracy: { onlyFirst: 5, onlySecond: 2, pValue: 0.45 },
      logLossPValue: 0.03,
      frozenLogLoss: 0.2,
    });
  });

  it('that kept the frozen head is that head, and differs from it on no image', () => {
    const tried = tunedTrial(as, finetuned('frozen'), cost);
    expect(tried.trial).toMatchObject({ accuracy: 0.93, logLoss: 0.2, kept: 'frozen' });
    expect(comparedTrials([tried], 153)[0]!.comparison).toMatchObject({ difference: 0, pValue: 1, logLossPValue: 1 });
  });
});
