import { describe, expect, it } from 'vitest';
import type { StrategyAdvice, StrategyName, StrategyTrial } from '../../../src/results/strategies-result.ts';
import { adviceOn, LARGE_FROM } from '../../../src/workflows/strategies/advice.ts';

type Trial = Pick<StrategyTrial, 'strategy' | 'heldOut' | 'kept'>;

/** A trial whose held-out log loss is `loss` where that of the frozen head is 0.3. */
const trial = (strategy: StrategyName, loss: number, kept?: 'tuned' | 'frozen'): Trial => ({
  strategy,
  heldOut: {
    by: 'part',
    images: 50,
    accuracy: 0.9,
    logLoss: loss,
    frozen: { accuracy: 0.9, logLoss: 0.3 },
  },
  ...(kept && { kept }),
});

const layers = (accuracyEarlier: number, pValue: number): StrategyAdvice['layers'] => ({
  deepest: 'block5_pool',
  earlier: 'block4_pool',
  accuracyDeepest: 0.8,
  accuracyEarlier,
  pValue,
});
const similar = layers(0.78, 0.4);
const different = layers(0.9, 0.001);

const SMALL = [50, 60, 70];
const LARGE = [200, 400, 3000];

interface Case {
  readonly name: string;
  readonly counts: readonly number[];
  readonly layers: StrategyAdvice['layers'];
  readonly trials: readonly Trial[];
  readonly advised: StrategyName;
  readonly measured: StrategyAdvice['measured'];
  readonly take: StrategyName;
  readonly alsoBetter?: readonly StrategyName[];
}

const CASES: readonly Case[] = [
  {
    name: 'small and similar: the head alone',
    counts: SMALL,
    layers: similar,
    trials: [trial('freeze-early', 0.31, 'frozen')],
    advised: 'head-only',
    measured: 'is the frozen head',
    take: 'head-only',
  },
  {
    name: 'small and similar, though tuning had the lower loss: still the head alone, and that is said',
    counts: SMALL,
    layers: similar,
    trials: [trial('freeze-early', 0.25, 'tuned')],
    advised: 'head-only',
    measured: 'is the frozen head',
    take: 'head-only',
    alsoBetter: ['freeze-early'],
  },
  {
    name: 'large and similar: fine-tune, where the training images agree',
    counts: LARGE,
    layers: similar,
    trials: [trial('freeze-early', 0.2, 'tuned')],
    advised: 'freeze-early',
    measured: 'better',
    take: 'freeze-early',
  },
  {
    name: 'large and similar, but the frozen head was kept: that head',
    counts: LARGE,
    layers: similar,
    trials: [trial('freeze-early', 0.2, 'frozen')],
    advised: 'freeze-early',
    measured: 'no better',
    take: 'head-only',
  },
  {
    name: 'large and similar, fine-tuning no better, all layers better: all layers',
    counts: LARGE,
    layers: similar,
    trials: [trial('freeze-early', 0.3, 'frozen'), trial('retrain-all', 0.1, 'tuned')],
    advised: 'freeze-early',
    measured: 'no better',
    take: 'retrain-all',
    alsoBetter: ['retrain-all'],
  },
  {
    name: 'small and different: features of earlier layers',
    counts: SMALL,
    layers: different,
    trials: [trial('layers-as-features', 0.35), trial('layers-as-features', 0.2)],
    advised: 'layers-as-features',
    measured: 'better',
    take: 'layers-as-features',
  },
  {
    name: 'large and different: retrain',
    counts: LARGE,
    layers: different,
    trials: [
      trial('layers-as-features', 0.25),
      trial('freeze-early', 0.2, 'tuned'),
      trial('retrain-all', 0.1, 'tuned'),
    ],
    advised: 'retrain-all',
    measured: 'better',
    take: 'retrain-all',
    alsoBetter: ['freeze-early', 'layers-as-features'],
  },
  {
    name: 'large and different, retraining had no time: the best of what was tried',
    counts: LARGE,
    layers: different,
    trials: [trial('layers-as-features', 0.25), trial('freeze-early', 0.2, 'tuned')],
    advised: 'retrain-all',
    measured: 'not tried',
    take: 'freeze-early',
    alsoBetter: ['freeze-early', 'layers-as-features'],
  },
  {
    name: 'an unknown domain counts as similar',
    counts: SMALL,
    layers: null,
    trials: [],
    advised: 'head-only',
    measured: 'is the frozen head',
    take: 'head-only',
  },
];

describe('the advice', () => {
  it.each(CASES)('on what is $name', (one) => {
    const { advised, measured, take, alsoBetter = [] } = one;
    expect(adviceOn(one)).toMatchObject({ advised, measured, take, alsoBetter, layers: one.layers });
  });

  it('begins to call a data set large at LARGE_FROM images of the median class, whatever the others', () => {
    const sizeOf = (counts: readonly number[]) => adviceOn({ counts, layers: null, trials: [] }).size;
    expect([LARGE_FROM - 1, LARGE_FROM].map((n) => sizeOf([1, n, 9000]))).toEqual(['small', 'large']);
    expect(adviceOn({ counts: [10, 21], layers: null, trials: [] }).imagesPerClass).toBe(15.5);
  });

  it('calls a domain different only where an earlier layer is right more often, and not by chance', () => {
    const domainOf = (found: StrategyAdvice['layers']) => adviceOn({ counts: SMALL, layers: found, trials: [] }).domain;
    expect(domainOf(layers(0.85, 0.2))).toBe('similar');
    expect(domainOf(layers(0.7, 0.001))).toBe('similar');
    expect(domainOf(layers(0.85, 0.04))).toBe('different');
    expect(domainOf(null)).toBe('unknown');
  });
});
