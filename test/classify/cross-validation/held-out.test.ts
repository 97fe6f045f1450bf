import { beforeAll, describe, expect, it } from 'vitest';
import { matrix, row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { familiesOf, planOf, type HeadPlan } from '../../../src/classify/cross-validation/families.ts';
import { foldFeatures, type FeatureSteps } from '../../../src/classify/cross-validation/fold-features.ts';
import type { HeldOut } from '../../../src/classify/cross-validation/family-task.ts';
import { heldOut } from '../../../src/classify/cross-validation/held-out.ts';
import { headEntry } from '../../../src/classify/heads/index.ts';
import { pcaHead } from '../../../src/classify/heads/pca-head.ts';
import { encodeLabels } from '../../../src/classify/labels.ts';
import { applyNormalizer, fitNormalizer } from '../../../src/classify/normalize.ts';
import { stratifiedKFold } from '../../../src/classify/evaluate/split.ts';
import { blobs } from '../heads/head-contract.ts';

/** Heads whose fits are tight enough to be compared digit by digit, a family with several members each. */
const PLANS: HeadPlan[] = [
  planOf('logistic', { C: 0.3, tol: 1e-9 }),
  planOf('logistic', { C: 10, tol: 1e-9 }),
  planOf('logistic', { C: 10, classWeight: 'balanced', tol: 1e-9 }),
  planOf('linear-svm', { C: 1, tol: 1e-9 }),
  planOf('ridge', { alpha: 5, tol: 1e-9 }),
  planOf('ridge', { alphas: '0.1,1,10' }),
  planOf('kernel-ridge', { alpha: 0.1 }),
  planOf('kernel-ridge', { gamma: 0.3, alpha: 0.1 }),
  planOf('kernel-ridge', { gamma: 0.3, alpha: 1 }),
  planOf('kernel-ridge', { gamma: 0.3, classWeight: 'balanced' }),
  planOf('kernel-ridge', { gammas: '0.1,1' }),
  planOf('kernel-ridge', { exactRows: 0, nComponents: 12 }),
  planOf('kernel-logistic', { C: 1, tol: 1e-9 }),
  planOf('kernel-logistic', { gamma: 0.3, C: 1, tol: 1e-9 }),
  planOf('kernel-logistic', { gamma: 0.3, C: 20, tol: 1e-9 }),
  planOf('kernel-logistic', { exactRows: 0, nComponents: 12, tol: 1e-9 }),
  planOf('knn', { nNeighbors: 1 }),
  planOf('knn', { nNeighbors: 7, weights: 'distance' }),
  planOf('knn', { nNeighbors: 3, metric: 'euclidean' }),
  planOf('centroid', {}),
  planOf('mlp', { maxEpochs: 5 }),
];
const STEPS: FeatureSteps[] = (['l2', 'standard', 'none'] as const).flatMap((normalize) =>
  [0, 4].map((pca) => ({ normalize, pca })),
);

async function answers(
  X: Matrix,
  y: readonly string[],
  steps: FeatureSteps,
  plans: readonly HeadPlan[],
): Promise<HeldOut[]> {
  const { classes, indices } = encodeLabels(y);
  const features = foldFeatures(X, steps, foldsOf(y));
  const found: HeldOut[] = [];
  for (const family of familiesOf(plans))
    for await (const one of heldOut(family, features, { y: indices, classes })) found.push(one);
  return plans.map((plan) => found.find((one) => one.plan === plan)!);
}

const foldsOf = (y: readonly string[]) =>
  stratifiedKFold(y, { keys: y.map((_, i) => String(i).padStart(4, '0')), nSplits: 3, seed: 2 });

const probabilitiesOf = (found: HeldOut): Matrix => {
  if ('problem' in found) throw new Error(found.problem);
  return found.P;
};

// Classes that overlap, so that probabilities are not all near 0 and 1; more columns than rows in one, fewer in the
// other.
const near = (cols: number) => {
  const { X, y } = blobs(['ant', 'bee', 'cat'], 16, cols, 3);
  return {
    X: matrix(
      X.rows,
      X.cols,
      X.data.map((value, at) => value * (1 + (at % 5)) + 0.1),
    ),
    y,
  };
};

describe.each([
  ['fewer columns than rows', 10],
  ['more columns than rows', 70],
])('cross-validation with %s', (_, cols) => {
  const { X, y } = near(cols);

  it.each(STEPS)('says what a fit of each fold by itself says: $normalize, $pca components', async (steps) => {
    const found = await answers(X, y, steps, PLANS);
    for (const [at, { name, params }] of PLANS.entries()) {
      const expected = matrix(X.rows, 3);
      for (const { train, val } of foldsOf(y)) {
        const part = selectRows(X, train);
        const normalizer = await fitNormalizer(steps.normalize, matrixRows(part));
        const plain = headEntry(name).create(params);
        const head = await (steps.pca > 0 ? pcaHead(steps.pca, plain) : plain).fit(
          matrixRows(applyNormalizer(normalizer, part)),
          train.map((i) => y[i]!),
        );
        const P = await head.predictProba(applyNormalizer(normalizer, selectRows(X, val)));
        val.forEach((i, v) => row(expected, i).set(row(P, v)));
      }
      const P = probabilitiesOf(found[at]!);
      const worst = P.data.reduce((most, p, i) => Math.max(most, Math.abs(p - expected.data[i]!)), 0);
      // Products of float32 summed in another order, as in the heads' own contract; fits on the Gram matrix lose
      // another digit.
      expect({ name, params, worst: worst < 2e-3 }).toEqual({ name, params, worst: true });
    }
  });

  it.each(STEPS)(
    'gives a head the same bytes in whatever grid it stands: $normalize, $pca components',
    async (steps) => {
      const together = await answers(X, y, steps, PLANS);
      for (const [at, plan] of PLANS.entries()) {
        const [alone] = await answers(X, y, steps, [plan]);
        expect([...probabilitiesOf(alone!).data]).toEqual([...probabilitiesOf(together[at]!).data]);
      }
    },
  );

  it.each(STEPS.filter(({ normalize, pca }) => normalize === 'standard' || pca > 0))(
    'lets no held-out row have a part in what judges another one: $normalize, $pca components',
    async (steps) => {
      const before = await answers(X, y, steps, PLANS);
      const { val } = foldsOf(y)[0]!;
      const changed = matrix(X.rows, X.cols, X.data.slice());
      for (let j = 0; j < cols; j++) changed.data[val[0]! * cols + j]! += 1000 * (j % 3);
      const after = await answers(changed, y, steps, PLANS);
      for (const [at, found] of before.entries()) {
        for (const i of val.slice(1))
          expect([...row(probabilitiesOf(after[at]!), i)]).toEqual([...row(probabilitiesOf(found), i)]);
      }
    },
  );
});

describe('a head that cannot be fitted', () => {
  const { X, y } = near(10);
  let found: HeldOut[];
  beforeAll(async () => {
    found = await answers(X, y, { normalize: 'l2', pca: 0 }, [
      planOf('knn', { nNeighbors: 33 }),
      planOf('knn', { nNeighbors: 3 }),
      planOf('ml-logistic', { numSteps: 1 }),
    ]);
  });

  it('says why, and leaves the others of its family as they are', () => {
    expect(found[0]).toMatchObject({
      problem: expect.stringMatching(/nNeighbors is 33, and there are 32/) as string,
    });
    expect(probabilitiesOf(found[1]!).rows).toBe(48);
    expect(probabilitiesOf(found[2]!).rows).toBe(48);
  });

  it('says why where there are fewer rows than components, for every head', async () => {
    const all = await answers(X, y, { normalize: 'l2', pca: 11 }, PLANS);
    for (const one of all)
      expect(one).toMatchObject({ problem: expect.stringMatching(/11 principal components/) as string });
  });
});
