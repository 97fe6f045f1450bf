import { describe, expect, it } from 'vitest';
import { matrix, row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { familiesOf, planOf, type HeadPlan } from '../../../src/classify/cross-validation/families.ts';
import { foldFeatures, type FeatureSteps } from '../../../src/classify/cross-validation/fold-features.ts';
import { heldOut } from '../../../src/classify/cross-validation/held-out.ts';
import { headEntry } from '../../../src/classify/heads/index.ts';
import { pcaHead } from '../../../src/classify/heads/pca-head.ts';
import { encodeLabels } from '../../../src/classify/labels.ts';
import { applyNormalizer, fitNormalizer } from '../../../src/classify/normalize.ts';
import { fitOnViews } from '../../../src/classify/on-views.ts';
import { stratifiedKFold } from '../../../src/classify/evaluate/split.ts';
import { blobs } from '../heads/head-contract.ts';

const PLANS: HeadPlan[] = [
  planOf('logistic', { C: 0.3, tol: 1e-9 }),
  planOf('logistic', { C: 10, tol: 1e-9 }),
  planOf('ridge', { alphas: '0.1,1,10' }),
  planOf('knn', { nNeighbors: 5 }),
  planOf('centroid', {}),
  planOf('softmax', { maxEpochs: 5 }),
];
const STEPS: FeatureSteps[] = (['l2', 'standard'] as const).flatMap((normalize) =>
  [0, 4].map((pca) => ({ normalize, pca })),
);

const { X, y } = blobs(['ant', 'bee', 'cat'], 12, 20, 3);
const source = random(5);
/** Two other looks at the same images: near them, and not the same. */
const VIEWS = [1, 2].map(() =>
  matrix(
    X.rows,
    X.cols,
    X.data.map((value) => value + 0.5 * source.normal()),
  ),
);
const { classes, indices } = encodeLabels(y);
const folds = stratifiedKFold(y, { keys: y.map((_, i) => String(i).padStart(4, '0')), nSplits: 3, seed: 2 });

async function answers(steps: FeatureSteps, views: readonly Matrix[]): Promise<Matrix[]> {
  const features = foldFeatures(X, steps, folds, { views });
  const found = new Map<HeadPlan, Matrix>();
  for (const family of familiesOf(PLANS)) {
    for await (const one of heldOut(family, features, { y: indices, classes })) {
      if ('problem' in one) throw new Error(one.problem);
      found.set(one.plan, one.P);
    }
  }
  return PLANS.map((plan) => found.get(plan)!);
}

const apart = (a: Matrix, b: Matrix): number =>
  a.data.reduce((most, p, i) => Math.max(most, Math.abs(p - b.data[i]!)), 0);

describe('cross-validation on images and their views', () => {
  it.each(STEPS)(
    'says of each image what a head on the views of the other folds says: $normalize, $pca components',
    async (steps) => {
      const found = await answers(steps, VIEWS);
      const without = await answers(steps, []);
      // Views that were left out would not be seen otherwise.
      expect(Math.max(...found.map((P, at) => apart(P, without[at]!)))).toBeGreaterThan(1e-2);
      for (const [at, { name, params }] of PLANS.entries()) {
        const expected = matrix(X.rows, 3);
        for (const { train, val } of folds) {
          const normalizer = await fitNormalizer(steps.normalize, matrixRows(selectRows(X, train)));
          const [images, ...views] = [X, ...VIEWS].map((view) =>
            matrixRows(applyNormalizer(normalizer, selectRows(view, train))),
          );
          const plain = headEntry(name).create(params);
          const head = await fitOnViews(
            steps.pca > 0 ? pcaHead(steps.pca, plain) : plain,
            images!,
            views,
            train.map((i) => y[i]!),
          );
          const P = await head.predictProba(applyNormalizer(normalizer, selectRows(X, val)));
          val.forEach((i, v) => row(expected, i).set(row(P, v)));
        }
        expect(found[at]!.rows).toBe(X.rows);
        expect({ name, same: apart(found[at]!, expected) < 2e-3 }).toEqual({ name, same: true });
      }
    },
  );

  it.each(STEPS)(
    'lets no view of a held-out image have a part in what judges its fold: $normalize, $pca components',
    async (steps) => {
      const before = await answers(steps, VIEWS);
      const { val } = folds[0]!;
      const changed = VIEWS.map((view) => ({ ...view, data: view.data.slice() }));
      for (const view of changed)
        for (const i of val)
          row(view, i)
            .fill(1000)
            .set([-5000, 300], i % 7);
      const after = await answers(steps, changed);
      // Folds that share their view share the rounding of its products, and nothing else.
      const rounding = steps.normalize === 'l2' && steps.pca === 0 ? 1e-4 : 0;
      for (const [at, P] of before.entries()) {
        expect(apart(selectRows(after[at]!, val), selectRows(P, val))).toBeLessThanOrEqual(rounding);
      }
      // The other folds train on them.
      expect(Math.max(...before.map((P, at) => apart(after[at]!, P)))).toBeGreaterThan(1e-2);
    },
  );
});
