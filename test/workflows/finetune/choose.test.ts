import { expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import type { FinetuneEpoch, FinetuneTrial, HeldOutScore } from '../../../src/results/finetune-result.ts';
import { bestCandidate, chooseCandidate, gainOver } from '../../../src/workflows/finetune/choose.ts';

const val = { accuracy: 0.5, logLoss: 9 };
const scored = (logLoss: number, gain: number, gainError: number): HeldOutScore => ({
  accuracy: 0.9,
  logLoss,
  gain,
  gainError,
});

function trial(rate: number, ...scores: readonly (readonly [logLoss: number, gainError: number])[]): FinetuneTrial {
  const zero: FinetuneEpoch = { epoch: 0, heldOut: scored(0.3, 0, 0), val, seconds: 0 };
  const others = scores.map(([logLoss, error], i): FinetuneEpoch => ({
    epoch: i + 1,
    heldOut: scored(logLoss, 0.3 - logLoss, error),
    val,
    seconds: 1,
  }));
  return { rate, epochs: [zero, ...others] };
}

it('takes the rate and the epoch of the least held-out log loss', () => {
  const trials = [trial(1e-4, [0.28, 0.01], [0.25, 0.01], [0.27, 0.01]), trial(3e-5, [0.29, 0.01], [0.26, 0.01])];
  expect(bestCandidate(trials)).toMatchObject({ rate: 1e-4, epochs: 2 });
  expect(chooseCandidate(trials)).toMatchObject({ kept: 'tuned', rate: 1e-4, epochs: 2 });
});

it('takes the earlier epoch of equals', () => {
  expect(bestCandidate([trial(1e-4, [0.28, 0.01], [0.25, 0.01]), trial(3e-5, [0.25, 0.01])])).toMatchObject({
    rate: 3e-5,
    epochs: 1,
  });
});

it('keeps the frozen head where nothing beats it by more than one standard error, and says so', () => {
  const within = chooseCandidate([trial(1e-4, [0.31, 0.02], [0.29, 0.02])]);
  expect(within.kept).toBe('frozen');
  expect(within.reason).toMatch(
    /^The frozen head is kept.*0\.2900 where the frozen head has 0\.3000.*standard error 0\.0200/,
  );
  expect(chooseCandidate([trial(1e-4, [0.31, 0.001])]).kept).toBe('frozen');
  expect(chooseCandidate([trial(1e-4, [0.29, 0.009])]).kept).toBe('tuned');
});

it('measures the gain on the same images, with the standard error of the mean difference', () => {
  const source = random(5);
  const before = Float64Array.from({ length: 50 }, () => source.uniform());
  const now = before.map((loss, i) => loss - (i % 2 === 0 ? 0.1 : 0.3));
  const { gain, gainError } = gainOver(before, now);
  expect(gain).toBeCloseTo(0.2, 12);
  // 25 differences of 0.1 and 25 of 0.3: the sample's deviation is 0.1 * sqrt(50 / 49).
  expect(gainError).toBeCloseTo((0.1 * Math.sqrt(50 / 49)) / Math.sqrt(50), 12);
  expect(gainOver(Float64Array.of(0.5), Float64Array.of(0.1))).toEqual({ gain: 0.4, gainError: 0.4 });
});
