import type { StrategiesResult, StrategyTrial } from '../../src/results/strategies-result.ts';

export function strategyTrial(given: Partial<StrategyTrial> = {}): StrategyTrial {
  return {
    strategy: 'freeze-early',
    name: 'trained from block5_conv1',
    accuracy: 0.96,
    interval: [0.91, 0.98],
    logLoss: 0.12,
    seconds: 42.4,
    peakBytes: 1.5 * 2 ** 30,
    heldOut: {
      by: 'part',
      images: 49,
      accuracy: 0.95,
      logLoss: 0.15,
      frozen: { accuracy: 0.9, logLoss: 0.31 },
    },
    comparison: {
      difference: 0.03,
      interval: [-0.01, 0.07],
      onlyThis: 7,
      onlyFrozen: 2,
      pValue: 0.18,
      adjusted: 0.36,
      logLossDifference: -0.08,
      logLossPValue: 0.01,
      logLossAdjusted: 0.02,
    },
    curves: [
      {
        name: 'rate 0.0001, four fifths of Train',
        epochs: [
          { epoch: 0, heldOut: { accuracy: 0.9, logLoss: 0.31 }, val: { accuracy: 0.93, logLoss: 0.2 } },
          { epoch: 1, heldOut: { accuracy: 0.95, logLoss: 0.15 }, val: { accuracy: 0.96, logLoss: 0.12 } },
        ],
      },
    ],
    kept: 'tuned',
    chosen: { rate: 1e-4, epochs: 1 },
    remarks: ['Two epochs of four had room in the time.'],
    ...given,
  };
}

/** The strategies of a small data set, one left out. */
export function strategiesResult(given: Partial<StrategiesResult> = {}): StrategiesResult {
  const frozen = strategyTrial({
    strategy: 'head-only',
    name: 'frozen head',
    accuracy: 0.93,
    interval: [0.88, 0.96],
    logLoss: 0.2,
    heldOut: {
      by: 'crossValidation',
      images: 245,
      accuracy: 0.92,
      logLoss: 0.17,
      frozen: { accuracy: 0.92, logLoss: 0.17 },
    },
    comparison: null,
    curves: [],
    chosen: { C: 30 },
    remarks: [],
  });
  const { kept, ...head } = frozen;
  void kept;
  return {
    trained: 245,
    validated: 153,
    validatedOn: 'val',
    minutes: 3,
    seconds: 160,
    trials: [head, strategyTrial()],
    skipped: [{ strategy: 'retrain-all', name: 'all layers', reason: 'an epoch takes 4 min 2 s, 30.0 s were left.' }],
    advice: {
      imagesPerClass: 122.5,
      largeFrom: 200,
      size: 'small',
      domain: 'similar',
      layers: {
        deepest: 'block5_pool',
        earlier: 'block4_pool',
        accuracyDeepest: 0.9265,
        accuracyEarlier: 0.8694,
        pValue: 0.013,
      },
      advised: 'head-only',
      measured: 'is the frozen head',
      take: 'head-only',
      alsoBetter: ['freeze-early'],
    },
    ...given,
  };
}
