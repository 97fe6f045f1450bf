import type { NeighborResult } from '../../src/results/answer-results.ts';
import type { EngineFacts, ExtractResult } from '../../src/results/extract-result.ts';
import type { HeadResult, RunResult } from '../../src/results/head-result.ts';

/** A name that would clear the screen, break lines and forge a row, if a terminal got it as it is. */
export const ODD_NAME = 'Val/\u001b[2Jants/a\nbees: 1.0000\u202e.jpg';
/** The same as it may be shown. */
export const ODD_SHOWN = 'Val/\\u001b[2Jants/a\\nbees: 1.0000\\u202e.jpg';

export const FACTS: EngineFacts = {
  name: 'onnxruntime',
  device: 'cpu',
  precision: 'fp32',
  version: '1.30.0',
};

export function extractResult(given: Partial<ExtractResult> = {}): ExtractResult {
  return {
    dataset: '/pictures/Ants',
    store: '/data/Ants.permafrost',
    images: 12,
    extracted: 8,
    reused: 3,
    unread: 0,
    failed: [],
    extractedBecause: null,
    views: null,
    engine: FACTS,
    cosineToFp32: null,
    contract: 'vgg16',
    contractId: 'vgg16-0123abcd',
    cut: 'block5_pool',
    dtype: 'float16',
    weights: 'ab'.repeat(32),
    classes: ['ants', 'bees'],
    splits: { train: 8, val: 3 },
    warnings: [],
    seconds: { load: 1.2, extract: 2 },
    trace: { load: 1.2, wait: 0.1, infer: 1.8, write: 0.1, read: 0.2, decode: 0.9 },
    ...given,
  };
}

export function headResult(given: Partial<HeadResult> = {}): HeadResult {
  return {
    name: 'logistic',
    pooling: 'avg',
    normalize: 'l2',
    params: { C: 10, tol: 1e-4 },
    changed: { C: 10 },
    accuracy: 2 / 3,
    interval: [0.2077, 0.9385],
    balancedAccuracy: 0.75,
    logLoss: 0.41234567,
    fitMs: 3.14159,
    predictMs: 1,
    converged: true,
    iterations: 7,
    notes: [],
    trained: 8,
    validated: 3,
    validatedOn: 'val',
    file: null,
    ...given,
  };
}

export function runResult(given: Partial<RunResult> = {}): RunResult {
  return {
    ...extractResult({ seconds: { load: 1.2, extract: 2, train: 0.5 } }),
    options: {},
    heads: [headResult()],
    skipped: [],
    confusion: {
      classes: ['ants', 'bees'],
      counts: [
        [1, 1],
        [0, 1],
      ],
    },
    mistakes: [],
    ...given,
  };
}

export const neighbor = (given: Partial<NeighborResult> = {}): NeighborResult => ({
  id: '0123456789abcdef',
  path: 'Train/ants/1.jpg',
  label: 'ants',
  split: 'train',
  distance: 0.125,
  ...given,
});
