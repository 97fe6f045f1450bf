import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrix, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead, type HeadOptions } from '../../../src/classify/heads/index.ts';
import { medianGamma } from '../../../src/classify/kernels/gamma.ts';
import { distancesOf, squaredDistances } from '../../../src/classify/kernels/squared-distances.ts';
import { wholeOf } from '../../../src/classify/linalg/symmetric-panels.ts';
import { fitOnViews } from '../../../src/classify/on-views.ts';
import type { ClassWeight } from '../../../src/classify/solvers/class-weights.ts';
import { blockRows } from '../../support/rows.ts';
import { formulaFeatures } from './formula-data.ts';
import { blobs, expectCode } from './head-contract.ts';

interface Fit {
  readonly n: number;
  readonly d: number;
  readonly k: number;
  readonly classWeight: ClassWeight;
  readonly medianGamma: number;
  readonly gamma: number;
}
type RidgeFit = Fit & {
  readonly head: 'kernel-ridge';
  readonly alpha: number;
  readonly decision: readonly (readonly number[])[];
  readonly leaveOneOut: number;
};
type LogisticFit = Fit & {
  readonly head: 'kernel-logistic';
  readonly C: number;
  readonly proba: readonly (readonly number[])[];
};

/** Made by test/golden/make_kernels.py. */
const { fits } = JSON.parse(readFileSync(new URL('../../golden/kernels.json', import.meta.url), 'utf8')) as {
  readonly fits: readonly (RidgeFit | LogisticFit)[];
};
const ridgeFits = fits.filter((fit) => fit.head === 'kernel-ridge');
const logisticFits = fits.filter((fit) => fit.head === 'kernel-logistic');

/** The formula's rows without two thirds of class 0, as make_kernels.py takes them. */
function imbalanced({ n, d, k }: Pick<Fit, 'n' | 'd' | 'k'>): { X: Matrix; y: string[] } {
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => i % k !== 0 || i % (3 * k) === 0);
  return { X: selectRows(formulaFeatures(n, d, k), kept), y: kept.map((i) => String(i % k)) };
}

function withQueries(fit: Fit): { X: Matrix; y: string[]; Q: Matrix } {
  const more = imbalanced({ ...fit, n: fit.n + 30 }).X;
  return {
    ...imbalanced(fit),
    Q: selectRows(
      more,
      [6, 5, 4, 3, 2, 1].map((back) => more.rows - back),
    ),
  };
}

const far = (found: Iterable<number>, expected: readonly number[]): number => {
  const values = [...found];
  return values.length === expected.length
    ? Math.max(...values.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!))))
    : Infinity;
};

/**
 * Distances and stored coefficients are float32: 1e-7 of terms that are as large as 1 / alpha. Measured: below 3e-5 at
 * alpha 0.01, below 1e-5 at larger ones and of probabilities.
 */
const TOLERANCE = 1e-5;
const toleranceAt = (alpha: number): number => Math.max(TOLERANCE, 5e-7 / alpha);

const title = (fit: RidgeFit | LogisticFit) =>
  `${fit.n} x ${fit.d}, ${fit.k} classes, class weight ${fit.classWeight}, gamma ${fit.gamma.toFixed(3)}, ${fit.head === 'kernel-ridge' ? `alpha ${fit.alpha}` : `C ${fit.C}`}`;

describe('the head kernel-ridge', () => {
  it.each(ridgeFits.map((fit) => [title(fit), fit] as const))(
    'predicts what KernelRidge predicts: %s',
    async (_, fit) => {
      const { X, y, Q } = withQueries(fit);
      const { gamma, alpha, classWeight } = fit;
      const head = await createHead('kernel-ridge', { gamma, alpha, classWeight }).fit(matrixRows(X), y);
      expect(far((await head.logits!(Q)).data, fit.decision.flat())).toBeLessThan(toleranceAt(alpha));
    },
  );

  it.each(ridgeFits.map((fit) => [title(fit), fit] as const))(
    'has the leave-one-out error of refits: %s',
    async (_, { gamma, alpha, classWeight, leaveOneOut, ...shape }) => {
      const { X, y } = imbalanced(shape);
      const lists = { gammas: String(gamma), alphas: String(alpha), classWeight };
      const head = await createHead('kernel-ridge', lists).fit(matrixRows(X), y);
      const found = head.state.json.leaveOneOut as { readonly errors: readonly number[][] };
      expect(far(found.errors.flat(), [leaveOneOut])).toBeLessThan(TOLERANCE);
    },
  );

  it('would notice another alpha, and class weights that are not used', async () => {
    const fit = ridgeFits.find(({ classWeight }) => classWeight === 'balanced')!;
    const { X, y, Q } = withQueries(fit);
    const { gamma, alpha, classWeight } = fit;
    for (const options of [
      { gamma, alpha: 1.01 * alpha, classWeight },
      { gamma: 1.01 * gamma, alpha, classWeight },
      { gamma, alpha },
    ] satisfies HeadOptions<'kernel-ridge'>[]) {
      const head = await createHead('kernel-ridge', options).fit(matrixRows(X), y);
      expect(far((await head.logits!(Q)).data, fit.decision.flat())).toBeGreaterThan(10 * TOLERANCE);
    }
  });

  it('takes the gamma and alpha of the least error, and says so', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 12, 20);
    const lists = { gammas: '0.001,0.02,1', alphas: '0.01,1,100' };
    const head = await createHead('kernel-ridge', lists).fit(matrixRows(X), y);
    const { errors, alpha, gammas, alphas } = head.state.json.leaveOneOut as {
      readonly errors: readonly number[][];
      readonly alpha: number;
      readonly gammas: readonly number[];
      readonly alphas: readonly number[];
    };
    const least = Math.min(...errors.flat());
    const at = errors.findIndex((line) => line.includes(least));
    expect(gammas[at]).toBe(head.state.json.gamma);
    expect(alphas[errors[at]!.indexOf(least)]).toBe(alpha);
    expect(head.notes[0]).toMatch(/least squared leave-one-out error, .* of 3 gammas and 3 alphas/);
    const alone = await createHead('kernel-ridge', { gamma: gammas[at]!, alpha }).fit(matrixRows(X), y);
    expect(alone.state.tensors).toEqual(head.state.tensors);
  });

  it('leaves all views of an image out together', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 6, 4);
    const errorsOf = async (views: readonly Matrix[]): Promise<number> => {
      const head = createHead('kernel-ridge', { gammas: '50', alphas: '0.001' });
      const { state } = await fitOnViews(head, matrixRows(X), views.map(matrixRows), y);
      return (state.json.leaveOneOut as { readonly errors: readonly number[][] }).errors[0]![0]!;
    };
    // With such a narrow kernel a row is told by itself alone: the same row again would tell all.
    expect(await errorsOf([])).toBeGreaterThan(0.9);
    expect(await errorsOf([{ ...X, data: X.data.map((value) => value + 1e-6) }])).toBeGreaterThan(0.9);
  });

  it('refuses lists above exactRows, and lists that are none', async () => {
    const { X, y } = blobs(['a', 'b'], 10, 4);
    const head = createHead('kernel-ridge', { alphas: '0.1,1', exactRows: 19 });
    await expectCode(head.fit(matrixRows(X), y), 'FIT_INVALID', /20 training rows, more than exactRows \(19\)/);
    expect(() => createHead('kernel-ridge', { gammas: '1,wide' })).toThrow(/gammas must be numbers > 0/);
  });
});

describe('the head kernel-logistic', () => {
  it.each(logisticFits.map((fit) => [title(fit), fit] as const))(
    'has the probabilities of a float64 solve: %s',
    async (_, fit) => {
      const { X, y, Q } = withQueries(fit);
      const { gamma, C, classWeight } = fit;
      const head = await createHead('kernel-logistic', { gamma, C, classWeight, tol: 1e-9 }).fit(matrixRows(X), y);
      expect(head.converged).toBe(true);
      expect(far((await head.predictProba(Q)).data, fit.proba.flat())).toBeLessThan(TOLERANCE);
    },
  );

  it('would notice another C, and class weights that are not used', async () => {
    const fit = logisticFits.find(({ classWeight }) => classWeight === 'balanced')!;
    const { X, y, Q } = withQueries(fit);
    const { gamma, C, classWeight } = fit;
    for (const options of [
      { gamma, C: 1.01 * C, classWeight },
      { gamma, C },
    ] satisfies HeadOptions<'kernel-logistic'>[]) {
      const head = await createHead('kernel-logistic', { ...options, tol: 1e-9 }).fit(matrixRows(X), y);
      expect(far((await head.predictProba(Q)).data, fit.proba.flat())).toBeGreaterThan(10 * TOLERANCE);
    }
  });
});

describe('the width of the kernel', () => {
  it.each(fits.map((fit) => [title(fit), fit] as const))('is that of numpy: %s', async (_, fit) => {
    const { X } = imbalanced(fit);
    expect(medianGamma(await squaredDistances(matrixRows(X))) / fit.medianGamma).toBeCloseTo(1, 5);
  });

  it('is told where it is chosen, and may come as text', async () => {
    const { X, y } = blobs(['a', 'b'], 10, 4);
    const chosen = await createHead('kernel-ridge').fit(matrixRows(X), y);
    expect(chosen.notes).toEqual([expect.stringMatching(/^gamma .*median squared distance/)]);
    // As a command line gives it.
    const given = { gamma: '0.5' } as unknown as HeadOptions<'kernel-ridge'>;
    expect(createHead('kernel-ridge', given).params.gamma).toBe(0.5);
    for (const gamma of ['', 'mean', '-1', 0, NaN])
      expect(() => createHead('kernel-ridge', { gamma } as never)).toThrow(/gamma must be median or a number > 0/);
  });

  it('makes heads that do not see the scale of the features', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 10, 8);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -6, max: 6 }), async (power) => {
        // A power of two changes no digit.
        const scaled = { ...X, data: X.data.map((value) => value * 2 ** power) };
        for (const name of ['kernel-ridge', 'kernel-logistic'] as const) {
          const head = createHead(name);
          const [one, other] = [await head.fit(matrixRows(X), y), await head.fit(matrixRows(scaled), y)];
          expect(far((await other.predictProba(scaled)).data, [...(await one.predictProba(X)).data])).toBeLessThan(
            1e-6,
          );
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe('squared distances', () => {
  /** Rows with a common part that is large next to what differs. */
  const rowsOf = (n: number, d: number) =>
    matrix(
      n,
      d,
      Float32Array.from({ length: n * d }, (_, at) => 100 + ((at * 7919) % 13)),
    );

  async function expectExact(X: Matrix, size: number): Promise<void> {
    for (const rows of [matrixRows(X), blockRows(X, size)]) {
      const found = wholeOf(await squaredDistances(rows)).data;
      for (let i = 0; i < X.rows; i++) {
        expect(found[i * X.rows + i]).toBe(0);
        let most = 0;
        for (let j = 0; j < X.rows; j++) {
          let exact = 0;
          for (let c = 0; c < X.cols; c++) exact += (X.data[i * X.cols + c]! - X.data[j * X.cols + c]!) ** 2;
          most = Math.max(most, Math.abs(found[i * X.rows + j]! - exact));
        }
        expect(most).toBeLessThan(1e-3);
      }
    }
  }

  it('are those of float64, zero for equal rows, in memory and in blocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        (n, d, size) => expectExact(rowsOf(n, d), size),
      ),
      { numRuns: 20 },
    );
  });

  it.each([100, 256, 300])('are so for more rows than a panel has columns, in blocks of %d', (size) =>
    expectExact(rowsOf(600, 5), size),
  );

  it('of some of the rows, in any order, are those of these rows', async () => {
    const X = rowsOf(700, 3);
    const rows = Array.from({ length: 520 }, (_, i) => (i * 311) % 700);
    const own = wholeOf(distancesOf(await squaredDistances(matrixRows(X)), rows)).data;
    const expected = wholeOf(await squaredDistances(matrixRows(selectRows(X, rows)))).data;
    let most = 0;
    own.forEach((value, at) => (most = Math.max(most, Math.abs(value - expected[at]!))));
    expect(most).toBeLessThan(1e-3);
  });
});

describe('landmarks', () => {
  it('come near the exact head, say that they are approximate, and are drawn by the seed', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 60, 10);
    for (const name of ['kernel-ridge', 'kernel-logistic'] as const) {
      const exact = await (await createHead(name, { gamma: 0.05 }).fit(matrixRows(X), y)).predictProba(X);
      const options = { gamma: 0.05, exactRows: 100 };
      const errors: number[] = [];
      for (const nComponents of [10, 60]) {
        const head = await createHead(name, { ...options, nComponents }).fit(matrixRows(X), y);
        expect(head.state.tensors.get('rows')!.shape).toEqual([nComponents, 10]);
        expect(head.notes[0]).toBe(
          `approximate: ${nComponents} landmarks, means of ${Math.min(180, 10 * nComponents)} of the rows, stand for the 180 training rows (nComponents; exact up to exactRows)`,
        );
        errors.push(far((await head.predictProba(X)).data, [...exact.data]));
      }
      expect(errors[1]!).toBeLessThan(errors[0]!);
      expect(errors[1]!).toBeLessThan(0.05);
      const fitted = async (seed: number) =>
        (await createHead(name, { ...options, nComponents: 10, seed }).fit(matrixRows(X), y)).state.tensors.get('rows');
      expect(await fitted(2)).toEqual(await fitted(2));
      expect(await fitted(2)).not.toEqual(await fitted(3));
    }
  });

  it('are the same in blocks, where no row is kept', async () => {
    const { X, y } = blobs(['a', 'b'], 60, 10);
    const head = createHead('kernel-ridge', { exactRows: 50, nComponents: 20 });
    const [inMemory, inBlocks] = [await head.fit(matrixRows(X), y), await head.fit(blockRows(X, 7), y)];
    expect(inBlocks.leavesRows).toBeUndefined();
    expect(far((await inBlocks.predictProba(X)).data, [...(await inMemory.predictProba(X)).data])).toBeLessThan(1e-4);
  });
});
