import { describe, expect, it } from 'vitest';
import { defaultsOf } from '../../../src/core/options.ts';
import { type HeadName, createHead, HEAD_NAMES, HEADS, loadHead } from '../../../src/classify/heads/index.ts';
import { expectCode, headContract } from './head-contract.ts';
import { hnswMissing } from '../neighbors/hnsw-missing.ts';

/** Solved so far that what is left is float32. */
const TIGHT = { tol: 1e-9, maxIter: 500 };

/** Options that keep each head's fits short; for one row a class the voters must ask one neighbour. */
const CONTRACTS: Record<HeadName, Parameters<typeof headContract>[1]> = {
  // Several blocks meet the rows in another order (trained-network.test.ts).
  softmax: { options: { maxEpochs: 60, learningRate: 0.02, batchSize: 5 }, sizes: [Infinity], near: 0 },
  logistic: { agree: TIGHT },
  ridge: { agree: TIGHT },
  'linear-svm': { agree: TIGHT },
  'kernel-ridge': {},
  'kernel-logistic': { agree: TIGHT },
  mlp: {
    options: { maxEpochs: 60, learningRate: 0.02, batchSize: 5, validationFraction: 0 },
    sizes: [Infinity],
    near: 0,
  },
  knn: { options: { nNeighbors: 3 }, oneRow: { nNeighbors: 1 } },
  'knn-hnsw': { options: { nNeighbors: 3 }, oneRow: { nNeighbors: 1 }, skip: await hnswMissing() },
  'ml-logistic': { options: { numSteps: 300, learningRate: 0.005 } },
  centroid: {},
  ensemble: {
    options: { members: 'logistic C=10 tol=1e-8; centroid; knn nNeighbors=1' },
    agree: { members: 'logistic C=10; centroid' },
  },
  lda: {},
};

for (const name of HEAD_NAMES) headContract(name, CONTRACTS[name]);

// With a landmark for each row the approximation is none.
for (const name of ['kernel-ridge', 'kernel-logistic'] as const) {
  const options = { exactRows: 0 };
  headContract(name, { options, agree: { ...CONTRACTS[name].agree, ...options }, title: `${name} on landmarks` });
}

describe('the table of heads', () => {
  it('has three heads that take no rows in blocks: two for their packages, one for it judges its members', () => {
    const without = HEAD_NAMES.filter((name) => createHead(name).inMemoryOnly !== undefined);
    expect(without).toEqual(['knn-hnsw', 'ml-logistic', 'ensemble']);
  });

  it('has a contract test and defaults for each head', () => {
    expect(Object.keys(CONTRACTS).sort()).toEqual([...HEAD_NAMES].sort());
    for (const name of HEAD_NAMES) {
      expect(createHead(name).params).toEqual(defaultsOf(HEADS[name].options));
      expect(createHead(name).name).toBe(name);
    }
  });

  it('names the nearest head for a misspelt one', async () => {
    // @ts-expect-error -- a program without types
    expect(() => createHead('logistik')).toThrow(/no head "logistik" \(did you mean "logistic"\?\)/);
    // @ts-expect-error -- as above
    expect(() => createHead('constructor')).toThrow(/no head "constructor"/);
    await expectCode(loadHead('knm', { json: {}, tensors: new Map() }), 'OPTION_INVALID', /did you mean "knn"/);
  });
});
