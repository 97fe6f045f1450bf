import { describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/core/options.ts';
import type { HeadName } from '../../src/classify/heads/index.ts';
import { createHead, HEAD_NAMES, HEADS, loadHead } from '../../src/classify/heads/index.ts';
import { expectCode, headContract } from './head-contract.ts';

/** Options that keep each head's fits short; for one row a class the voters must ask one neighbour. */
const CONTRACTS = {
  softmax: [{ maxEpochs: 60, learningRate: 0.02 }],
  logistic: [{}],
  knn: [{ nNeighbors: 3 }, { nNeighbors: 1 }],
  'knn-hnsw': [{ nNeighbors: 3 }, { nNeighbors: 1 }],
  'ml-logistic': [{ numSteps: 300, learningRate: 0.005 }],
  centroid: [{}],
} as const satisfies Record<HeadName, readonly object[]>;

for (const name of HEAD_NAMES) headContract(name, ...CONTRACTS[name]);

describe('the table of heads', () => {
  it('has a contract test and defaults for each head', () => {
    expect(Object.keys(CONTRACTS).sort()).toEqual([...HEAD_NAMES].sort());
    for (const name of HEAD_NAMES) {
      expect(createHead(name).params).toEqual(defaultsOf(HEADS[name].options));
      expect(createHead(name).name).toBe(name);
    }
  });

  it('names the nearest head for a misspelt one', async () => {
    expect(() => createHead('logistik')).toThrow(/no head "logistik" \(did you mean "logistic"\?\)/);
    expect(() => createHead('constructor')).toThrow(/no head "constructor"/);
    await expectCode(
      loadHead('knm', { json: {}, tensors: new Map() }),
      'OPTION_INVALID',
      /did you mean "knn"/,
    );
  });
});
