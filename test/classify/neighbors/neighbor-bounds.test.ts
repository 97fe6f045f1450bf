import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { distance, lengthsOf } from '../../../src/classify/neighbors/distance.ts';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { floatScan } from '../../../src/classify/neighbors/float-scan.ts';
import { integerProductsHold } from '../../../src/classify/linalg/integer-products.ts';
import { integerScan } from '../../../src/classify/neighbors/integer-scan.ts';
import { METRICS, type Metric } from '../../../src/classify/neighbors/neighbor-index.ts';
import type { ExactOptions } from '../../../src/classify/neighbors/row-search.ts';
import type { Scan } from '../../../src/classify/neighbors/scan.ts';
import { expectCode } from '../heads/head-contract.ts';
import { bruteForce, clustered } from './neighbor-contract.ts';
import { rowsOf, SHAPES } from './neighbor-rows.ts';

const noInt8 = (await integerProductsHold()) ? undefined : 'this processor sums no 8-bit products exactly';

/** Shapes of lengths that the scan in 8 bits takes; `exactIndex` by auto leaves the others to float32. */
const USUAL = SHAPES.filter((shape) => shape !== 'tiny' && shape !== 'huge');

async function expectBruteForce(X: Matrix, queries: Matrix, metric: Metric, k: number, scan: ExactOptions['scan']) {
  const found = await exactIndex(matrixRows(X), metric, { scan }).search(queries, k);
  for (let i = 0; i < queries.rows; i++) {
    const expected = bruteForce(X, row(queries, i), metric).slice(0, k);
    const at = [i * found.k, (i + 1) * found.k] as const;
    expect([...found.indices.slice(...at)]).toEqual(expected.map(({ index }) => index));
    expect([...found.distances.slice(...at)]).toEqual(expected.map(({ far }) => Math.fround(far)));
  }
}

describe.each(['float32', 'int8'] as const)('exact search by %s', (scan) => {
  const skip = scan === 'int8' && noInt8 !== undefined;

  describe.skipIf(skip).each(METRICS)(`%s${skip ? ` [skipped: ${noInt8}]` : ''}`, (metric) => {
    it.each(scan === 'int8' ? USUAL : SHAPES)('is brute force in float64, order included: %s', async (shape) => {
      await fc.assert(
        fc.asyncProperty(
          // More rows than a scan keeps, so that its bound decides.
          fc.record({
            rows: fc.integer({ min: 70, max: 300 }),
            cols: fc.integer({ min: 2, max: 70 }),
            k: fc.integer({ min: 1, max: 12 }),
            seed: fc.integer({ min: 1, max: 1e9 }),
          }),
          async ({ rows, cols, k, seed }) => {
            const X = rowsOf(shape, rows, cols, seed);
            // Strangers, and rows of the index themselves.
            const queries = selectRows(rowsOf(shape, rows, cols, seed + 7), [0, 1, 2]);
            await expectBruteForce(X, queries, metric, k, scan);
            await expectBruteForce(X, selectRows(X, [0, rows >> 1, rows - 1]), metric, k, scan);
          },
        ),
        { numRuns: 25 },
      );
    });
  });
});

/** Every row's true distance is no less than the scan says of the row's score. */
async function expectBound(scan: Scan, X: Matrix, queries: Matrix, metric: Metric): Promise<void> {
  const [lengths, own] = [lengthsOf(X), lengthsOf(queries)];
  const scanned = await scan.run(queries, own, X.rows);
  for (const { k, values, indices, first, whole } of scanned.parts) {
    expect(whole).toBe(true);
    for (let at = 0; at < queries.rows * k; at++) {
      const [i, j] = [Math.floor(at / k), first + indices[at]!];
      const far = distance(metric, row(queries, i), row(X, j), own[i]!, lengths[j]!);
      expect(far).toBeGreaterThanOrEqual(scanned.leastDistance(i, values[at]!));
    }
  }
}

describe('the bound of a scan', () => {
  it.each(METRICS)('holds for every row: %s', async (metric) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...USUAL),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 1e9 }),
        async (shape, cols, seed) => {
          const X = rowsOf(shape, 40, cols, seed);
          const queries = rowsOf(shape, 5, cols, seed + 3);
          await expectBound(floatScan(X, lengthsOf(X), metric), X, queries, metric);
          const integers = await integerScan(X, lengthsOf(X), metric, false);
          if (integers !== undefined) await expectBound(integers, X, queries, metric);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.skipIf(noInt8 !== undefined)('is tight enough to prove answers: few queries are scanned twice', async () => {
    const X = clustered(4000, 256, 3);
    const queries = clustered(64, 256, 4);
    const scan = (await integerScan(X, lengthsOf(X), 'cosine', true))!;
    const scanned = await scan.run(queries, lengthsOf(queries), 10);
    const { distances } = await exactIndex(matrixRows(X), 'cosine').search(queries, 10);
    const [part] = scanned.parts;
    const proven = Array.from({ length: 64 }, (_, i) => i).filter(
      (i) => scanned.leastDistance(i, part!.values[(i + 1) * part!.k - 1]!) > distances[10 * i + 9]!,
    );
    expect(proven.length).toBeGreaterThan(60);
  });
});

describe('exact search', () => {
  it('by auto turns to 8 bits when enough queries have come, with the same answers', async () => {
    const X = clustered(5000, 220, 5);
    const queries = clustered(20, 220, 6);
    const index = exactIndex(matrixRows(X), 'cosine', { prepareAfter: 30 });
    const [first, second] = [await index.search(queries, 5), await index.search(queries, 5)];
    expect(second).toEqual(first);
  });

  it('finds neighbours in every part of a large index', async () => {
    // Two parts of 2^16 rows, and some.
    const X = clustered(2 ** 17 + 10, 8, 7);
    const queries = selectRows(X, [5, 2 ** 16 + 5, 2 ** 17 + 5]);
    for (const scan of noInt8 === undefined ? (['float32', 'int8'] as const) : (['float32'] as const)) {
      await expectBruteForce(X, queries, 'euclidean', 6, scan);
    }
  });

  it.each(SHAPES)('is brute force where scores are looked at in groups, and rows are left over: %s', async (shape) => {
    for (const [rows, k] of [
      [4096, 1],
      [4111, 12],
      [8000, 40],
    ] as const) {
      const X = rowsOf(shape, rows, 9, rows);
      const queries = selectRows(X, [0, rows - 9, rows - 1]);
      for (const metric of METRICS) await expectBruteForce(X, queries, metric, k, 'float32');
    }
  });

  it('keeps the largest scores of groups: no other row has a larger one', async () => {
    const X = clustered(5003, 12, 11);
    const queries = clustered(7, 12, 12);
    const { parts } = await floatScan(X, lengthsOf(X), 'euclidean').run(queries, lengthsOf(queries), 10);
    expect(parts.map(({ first }) => first)).toEqual([0, 4992]);
    for (let i = 0; i < queries.rows; i++) {
      const scores = Array.from({ length: 4992 }, (_, j) => {
        const [q, x] = [row(queries, i), row(X, j)];
        return x.reduce((sum, value, at) => sum + value * q[at]! - value ** 2 / 2, 0);
      });
      const order = scores.map((_, j) => j).sort((a, b) => scores[b]! - scores[a]!);
      const { k, indices, values } = parts[0]!;
      expect([...indices.subarray(i * k, (i + 1) * k)].sort()).toEqual(order.slice(0, k).sort());
      expect(values[i * k]).toBeCloseTo(scores[order[0]!]!, 4);
    }
  });

  it('refuses 8 bits for lengths that float32 cannot hold, and an unknown scan', async () => {
    const X = clustered(100, 4, 8);
    for (let at = 0; at < X.data.length; at++) X.data[at]! *= 1e20;
    await expectCode(
      exactIndex(matrixRows(X), 'euclidean', { scan: 'int8' }).search(X, 3),
      'FIT_INVALID',
      /Take scan "float32"/,
    );
    expect(() => exactIndex(matrixRows(X), 'cosine', { scan: 'bf16' as 'int8' })).toThrow(/float32 \| int8/);
  });
});

describe('a distance', () => {
  it('is the sum that the formula says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1e9 }), (cols, seed) => {
        const [a, b] = [row(clustered(1, cols, seed), 0), row(clustered(1, cols, seed + 1), 0)];
        const dot = (u: Float32Array, v: Float32Array) => u.reduce((sum, value, i) => sum + value * v[i]!, 0);
        const [la, lb] = [Math.sqrt(dot(a, a)), Math.sqrt(dot(b, b))];
        const cosine = la * lb === 0 ? 0 : dot(a, b) / (la * lb);
        expect(distance('cosine', a, b, la, lb)).toBeCloseTo(1 - cosine, 12);
        const squares = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
        expect(distance('euclidean', a, b, la, lb)).toBeCloseTo(Math.sqrt(squares), 12);
      }),
    );
  });
});
