import { describe, expect, it } from 'vitest';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { formulaFeatures, formulaLabels } from './formula-data.ts';

/**
 * X, y = data(n, d, k)  # formula-data.ts
 * m = LogisticRegression(C=C, tol=1e-12, max_iter=1000, solver='newton-cholesky').fit(X, y)  # scikit-learn 1.9.1
 * print(m.coef_[:, :3], m.intercept_, m.predict_proba(X[:3]))
 * solver='lbfgs' at tol=1e-12 gives the same to 1.2e-6.
 */
const SCIKIT_LEARN = [
  {
    shape: 'tall, three classes',
    n: 60,
    d: 4,
    k: 3,
    C: 1,
    coef: [
      [1.2464782062438502, -0.902172304160989, -0.7908661859262119],
      [-0.860186455491983, -0.3882910942397542, 1.549235886335104],
      [-0.3862917507518675, 1.2904633984007425, -0.7583697004088926],
    ],
    intercept: [-0.6094181155829135, 0.11631515142387272, 0.4931029641590409],
    proba: [
      [0.21599826540261524, 0.3466999120729483, 0.4373018225244365],
      [0.2402961165399481, 0.39093848229395967, 0.3687654011660922],
      [0.18394215215183493, 0.20481077325869232, 0.6112470745894727],
    ],
  },
  {
    shape: 'tall, three classes',
    n: 60,
    d: 4,
    k: 3,
    C: 100,
    coef: [
      [2.5975204751372667, -2.77037070798618, -1.8523319253932866],
      [-2.00872700039829, -0.27648152190764724, 3.157412037666664],
      [-0.5887934747389884, 3.046852229893773, -1.3050801122734828],
    ],
    intercept: [-1.1455040450253662, 0.31027142446148925, 0.8352326205638771],
    proba: [
      [0.09707309145234239, 0.3824349227306295, 0.520491985817028],
      [0.095715550595483, 0.4314656954362141, 0.47281875396830286],
      [0.03292705763921957, 0.09061252849627811, 0.8764604138645024],
    ],
  },
  {
    shape: 'wide, three classes',
    n: 12,
    d: 40,
    k: 3,
    C: 1,
    coef: [
      [0.07334696617295676, -0.12163286539079204, -0.13677089810630158],
      [0.03609247132748063, -0.041642635453473485, 0.2662280617074365],
      [-0.1094394375004371, 0.16327550084426581, -0.12945716360113452],
    ],
    intercept: [-0.7226045685783276, 0.8564671824212005, -0.1338626138428729],
    proba: [
      [0.83405764932496, 0.06835581495272662, 0.0975865357223134],
      [0.06344164527574099, 0.8490879839107494, 0.0874703708135096],
      [0.0888222513265497, 0.07575843054652999, 0.8354193181269203],
    ],
  },
  {
    shape: 'wide, three classes',
    n: 12,
    d: 40,
    k: 3,
    C: 100,
    coef: [
      [0.27406495171659284, -0.298718611639134, -0.3205143227346104],
      [0.04733333348999591, -0.13891808287914256, 0.6952048424412484],
      [-0.32139828520661035, 0.4376366945182695, -0.374690519706642],
    ],
    intercept: [-2.0128272306940196, 2.36217098257501, -0.3493437518809908],
    proba: [
      [0.9955889495731056, 0.0015444669120482735, 0.0028665835148458927],
      [0.0010722945995400475, 0.9965025675644845, 0.0024251378359754563],
      [0.0023298141710354605, 0.0017948604591105767, 0.9958753253698539],
    ],
  },
  {
    shape: 'tall, two classes',
    n: 60,
    d: 4,
    k: 2,
    C: 10,
    coef: [[-2.250083602008324, 2.1067790457020066, -3.160756046555032]],
    intercept: [0.5069604119566284],
    proba: [
      [0.579208789199388, 0.420791210800612],
      [0.3376013688738627, 0.6623986311261373],
      [0.8939310686132447, 0.10606893138675531],
    ],
  },
  {
    shape: 'wide, two classes',
    n: 12,
    d: 40,
    k: 2,
    C: 10,
    coef: [[-0.2352672063644664, 0.47128394382515365, -0.4551171220454815]],
    intercept: [0.9830193948084658],
    proba: [
      [0.9651075349177101, 0.03489246508228988],
      [0.025992498243920248, 0.9740075017560798],
      [0.9770653881452208, 0.022934611854779196],
    ],
  },
];

/** Features, weights and scores are float32: about 1e-7 a term; scikit-learn's own solvers differ by 1e-6. */
const TOLERANCE = 3e-6;

const far = (found: readonly number[], expected: readonly number[]): number =>
  found.length === expected.length ? Math.max(...found.map((value, i) => Math.abs(value - expected[i]!))) : Infinity;

describe('logistic regression against scikit-learn', () => {
  it.each(SCIKIT_LEARN)('has the same optimum: $shape, C = $C', async ({ n, d, k, C, ...expected }) => {
    const X = formulaFeatures(n, d, k);
    const head = await createHead('logistic', { C, tol: 1e-9 }).fit(matrixRows(X), formulaLabels(n, k));
    expect(head.converged).toBe(true);
    const { data: weights, shape } = head.state.tensors.get('weights')!;
    const columns = expected.coef.length;
    expect(shape).toEqual([d, columns]);
    const coef = expected.coef.map((_, c) => [0, 1, 2].map((j) => weights[j * columns + c]!));
    expect(far(coef.flat(), expected.coef.flat())).toBeLessThan(TOLERANCE);
    expect(far([...head.state.tensors.get('intercept')!.data], expected.intercept)).toBeLessThan(TOLERANCE);
    const P = await head.predictProba(X);
    expect(far([...P.data.slice(0, 3 * k)], expected.proba.flat())).toBeLessThan(TOLERANCE);
  });

  it('would notice two weight vectors where scikit-learn has one', async () => {
    // The softmax of two vectors shares the weight between them, each w/2: half the penalty, so twice the C.
    const { n, d, k, C, coef } = SCIKIT_LEARN[4]!;
    const X = formulaFeatures(n, d, k);
    const head = await createHead('logistic', { C: 2 * C, tol: 1e-9 }).fit(matrixRows(X), formulaLabels(n, k));
    const weights = head.state.tensors.get('weights')!.data;
    expect(far([...weights.slice(0, 3)], coef[0]!)).toBeGreaterThan(100 * TOLERANCE);
  });
});
