import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { matrix, row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { hnswIndex } from '../../../src/classify/neighbors/hnsw.ts';
import { loadHnsw } from '../../../src/classify/neighbors/hnsw-graph.ts';
import { METRICS, type Neighbors } from '../../../src/classify/neighbors/neighbor-index.ts';
import { measureRecall, recallOnOthers } from '../../../src/classify/neighbors/recall.ts';
import { formulaFeatures, formulaLabels } from '../heads/formula-data.ts';
import { blobs, expectCode } from '../heads/head-contract.ts';
import { hnswMissing } from './hnsw-missing.ts';
import { bruteForce, clustered, neighborContract } from './neighbor-contract.ts';

/** The neighbours from the second on. */
function withoutNearest({ k: found, indices, distances }: Neighbors, k: number): Neighbors {
  const places = Array.from(
    { length: (indices.length / found) * k },
    (_, at) => Math.floor(at / k) * found + 1 + (at % k),
  );
  return {
    k,
    indices: Int32Array.from(places, (at) => indices[at]!),
    distances: Float32Array.from(places, (at) => distances[at]!),
  };
}

const HNSW = { M: 16, efConstruction: 200, efSearch: 50, seed: 1 };

neighborContract('exact', (X, metric) => Promise.resolve(exactIndex(matrixRows(X), metric)), undefined);
neighborContract('hnsw', async (X, metric) => (await hnswIndex(X, { ...HNSW, metric }, 5)).index, await hnswMissing());

describe('exact search', () => {
  it('is brute force in float64, order included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          metric: fc.constantFrom(...METRICS),
          rows: fc.integer({ min: 1, max: 60 }),
          cols: fc.integer({ min: 1, max: 40 }),
          k: fc.integer({ min: 1, max: 12 }),
          // A large common part makes float32 products useless for telling rows apart: the second look must.
          level: fc.constantFrom(0, 1, 1000),
          copies: fc.boolean(),
          seed: fc.integer(),
        }),
        async ({ metric, rows, cols, k, level, copies, seed }) => {
          const X = clustered(rows, cols, seed);
          for (let at = 0; at < X.data.length; at++) X.data[at]! += level;
          if (copies && rows > 2) X.data.copyWithin(cols, 0, cols);
          const queries = clustered(3, cols, seed + 1);
          for (let at = 0; at < queries.data.length; at++) queries.data[at]! += level;
          const found = await exactIndex(matrixRows(X), metric).search(queries, k);
          for (let i = 0; i < queries.rows; i++) {
            const expected = bruteForce(X, row(queries, i), metric).slice(0, k);
            const at = [i * found.k, (i + 1) * found.k] as const;
            expect([...found.indices.slice(...at)]).toEqual(expected.map(({ index }) => index));
            expect([...found.distances.slice(...at)]).toEqual(expected.map(({ far }) => Math.fround(far)));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('answers the same however the queries are cut into blocks', async () => {
    // More rows than one block of queries holds: 2^24 products.
    const X = matrix(
      2 ** 16,
      3,
      Float32Array.from({ length: 3 * 2 ** 16 }, (_, at) => Math.sin(at)),
    );
    const queries = matrix(300, 3, X.data.slice(30_000, 30_900));
    const all = await exactIndex(matrixRows(X), 'euclidean').search(queries, 4);
    const last = await exactIndex(matrixRows(X), 'euclidean').search(matrix(1, 3, row(queries, 299).slice()), 4);
    expect([...all.indices.slice(-4)]).toEqual([...last.indices]);
    expect(all.indices[4 * 299]).toBe(10_299);
  });
});

describe('the votes of neighbours', () => {
  /**
   * X, y = data(60, 4, 3); q = data(70, 4, 3)[0][60:64]  # formula-data.ts
   * KNeighborsClassifier(5, metric=m, weights=w, algorithm='brute').fit(X, y).predict_proba(q)  # scikit-learn 1.9.1
   */
  it.each([
    ['cosine', 'uniform', [0.6, 0.2, 0.2, 0.6, 0.2, 0.2, 0.4, 0.4, 0.2, 1, 0, 0]],
    [
      'cosine',
      'distance',
      [
        0.9834010003910786, 0.009368804898155267, 0.007230194710766126, 0.07132771160775785, 0.9060738361983867,
        0.022598452193855468, 0.2665003595172557, 0.05237037696679057, 0.6811292635159537, 1, 0, 0,
      ],
    ],
    ['euclidean', 'uniform', [0.8, 0.2, 0, 0.4, 0.2, 0.4, 0.4, 0.4, 0.2, 0.6, 0.4, 0]],
    [
      'euclidean',
      'distance',
      [
        0.9450277292828028, 0.05497227071719723, 0, 0.20360554717236062, 0.5686428117682103, 0.22775164105942908,
        0.43222430000602247, 0.20575269259893514, 0.36202300739504245, 0.869478031423275, 0.13052196857672507, 0,
      ],
    ],
  ] as const)('are those of scikit-learn: %s, %s', async (metric, weights, expected) => {
    const head = await createHead('knn', { metric, weights }).fit(
      matrixRows(formulaFeatures(60, 4, 3)),
      formulaLabels(60, 3),
    );
    const queries = matrix(4, 4, formulaFeatures(64, 4, 3).data.slice(240));
    const P = await head.predictProba(queries);
    // 1 / distance magnifies what float32 leaves of a small distance.
    P.data.forEach((p, at) => expect(p).toBeCloseTo(expected[at]!, 5));
  });

  it('are those of the rows at distance 0 alone, where there are some', async () => {
    const X = matrix(4, 2, Float32Array.of(1, 0, 1, 0, 0, 1, 1, 1));
    const head = await createHead('knn', { nNeighbors: 4, weights: 'distance' }).fit(matrixRows(X), [
      'a',
      'b',
      'b',
      'b',
    ]);
    expect([...(await head.predictProba(matrix(1, 2, Float32Array.of(2, 0)))).data]).toEqual([0.5, 0.5]);
  });

  it('need as many rows as neighbours', async () => {
    const { X, y } = blobs(['a', 'b'], 2, 3);
    await expectCode(
      createHead('knn').fit(matrixRows(X), y),
      'FIT_INVALID',
      /nNeighbors is 5, and there are 4 training rows/,
    );
    await expectCode(createHead('knn-hnsw').fit(matrixRows(X), y), 'FIT_INVALID', /nNeighbors is 5/);
  });
});

const missing = await hnswMissing();
describe.skipIf(missing !== undefined)(`approximate search${missing ? ` [skipped: ${missing}]` : ''}`, () => {
  it('tells its recall against exact search', async () => {
    const X = clustered(600, 24, 8);
    const y = Array.from({ length: 600 }, (_, i) => String(i % 3));
    const good = await createHead('knn-hnsw').fit(matrixRows(X), y);
    expect(good.notes).toEqual([
      expect.stringMatching(/^recall@5 against exact search: (1\.0000|0\.99\d\d), on 120 training rows before/),
    ]);
    const options = { metric: 'cosine', M: 2, efConstruction: 1, efSearch: 1, seed: 1 } as const;
    const { index: poor, recall: told } = await hnswIndex(X, options, 5);
    const { recall } = await measureRecall(poor, X, { k: 5, sample: 200, seed: 1 });
    expect(recall).toBeLessThan(0.9);
    expect(told).toMatchObject({ queries: 120, k: 5 });
    expect(told!.recall).toBeLessThan(0.9);
    const exact = await measureRecall(exactIndex(matrixRows(X), 'cosine'), X, { k: 5, sample: 200, seed: 1 });
    expect(exact).toEqual({ recall: 1, queries: 200, k: 5 });
  });

  it('measures recall on rows that the index does not hold as a count by hand does', async () => {
    const X = clustered(60, 6, 4);
    const queries = [3, 17, 40, 59];
    const others = Array.from({ length: 60 }, (_, i) => i).filter((i) => !queries.includes(i));
    const held = exactIndex(matrixRows(selectRows(X, others)), 'cosine');
    const found = await recallOnOthers(held, X, queries, 7);
    expect(found).toEqual({ recall: 1, queries: 4, k: 7 });
    // An index that misses the nearest of each query: six of seven are found.
    const misses = { ...held, search: async (Q: Matrix, k: number) => withoutNearest(await held.search(Q, k + 1), k) };
    expect((await recallOnOthers(misses, X, queries, 7)).recall).toBeCloseTo(6 / 7, 12);
  });

  it('stops when it is aborted', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 5);
    await expectCode(
      createHead('knn-hnsw').fit(matrixRows(X), y, { signal: AbortSignal.abort() }),
      'INTERRUPTED',
      /interrupted/,
    );
  });
});

describe('without hnswlib-node', () => {
  it('says that it is optional, what it needs and what to use instead', async () => {
    vi.doMock('hnswlib-node', () => {
      throw new Error('Could not locate the bindings file');
    });
    const { X, y } = blobs(['a', 'b'], 20, 5);
    await expectCode(
      createHead('knn-hnsw').fit(matrixRows(X), y),
      'PACKAGE_MISSING',
      /C\+\+ compiler.*npm install.*"knn"/,
    );
    await expectCode(loadHnsw(), 'PACKAGE_MISSING', /hnswlib-node does not load/);
    vi.doUnmock('hnswlib-node');
  });
});
