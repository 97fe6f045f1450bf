import { describe, expect, it } from 'vitest';
import { leastSeconds, planWithin } from '../../../src/workflows/finetune/within-time.ts';

/** Ten steps of Train, eight of them searched; a step takes a second, asking a tenth of that. */
const counts = { train: 10, searched: 8, heldOut: 2, validated: 5 };
const costs = { training: 1, asking: 0.1 };
const wanted = { rates: [1e-4, 3e-5], epochs: 4 } as const;
const within = (seconds: number) => planWithin(seconds, wanted, counts, costs);

describe('the plan of a fine-tuning within a time', () => {
  it('counts the start, the search and training on all of Train', () => {
    // Start: 15 asked; search: 8 epochs of 8 steps and 7 asked; then 4 epochs of 10 steps and 5 asked.
    expect(within(1e9)!.seconds).toBeCloseTo(1.5 + 8 * 8.7 + 4 * 10.5, 10);
    expect(within(1e9)).toMatchObject({ ...wanted, refit: true });
  });

  it('leaves out epochs first, then rates, then training on all of Train', () => {
    const plans = Array.from({ length: 150 }, (_, seconds) => within(seconds)).filter((plan) => plan !== undefined);
    const steps = plans.map(({ rates, epochs, refit }) => `${rates.length} ${epochs} ${refit ? 'all' : 'search'}`);
    expect([...new Set(steps)].reverse()).toEqual([
      '2 4 all',
      '2 3 all',
      '2 2 all',
      '1 2 all',
      '1 1 all',
      '1 2 search',
      '1 1 search',
    ]);
  });

  it('fills the time with epochs, without which it says that nothing has room', () => {
    const least = leastSeconds(counts, costs);
    expect(within(least)).toMatchObject({ rates: [1e-4], epochs: 1, refit: false });
    expect(within(least - 1e-9)).toBeUndefined();
  });

  it('never takes longer than it may', () => {
    for (let seconds = 0; seconds < 150; seconds += 0.5)
      expect(within(seconds)?.seconds ?? 0).toBeLessThanOrEqual(seconds);
  });

  it('of one epoch that is wanted keeps both rates where they have room', () => {
    const one = { rates: [1e-4, 3e-5], epochs: 1 } as const;
    expect(planWithin(1e9, one, counts, costs)).toMatchObject({ ...one, refit: true });
  });
});
