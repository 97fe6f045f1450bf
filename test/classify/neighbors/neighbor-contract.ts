import { describe, expect, it } from 'vitest';
import { type Matrix, matrix, row } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { distance, lengthsOf } from '../../../src/classify/neighbors/distance.ts';
import { type Metric, type NeighborIndex, METRICS } from '../../../src/classify/neighbors/neighbor-index.ts';
import { expectCode } from '../heads/head-contract.ts';

/** Non-negative rows in loose clusters, as features after a ReLU are. */
export function clustered(rows: number, cols: number, seed: number): Matrix {
  const source = random(seed);
  const centres = Array.from({ length: 5 }, () => Float32Array.from({ length: cols }, () => source.normal()));
  const X = matrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    const centre = centres[source.below(5)]!;
    for (let j = 0; j < cols; j++) X.data[i * cols + j] = Math.max(0, centre[j]! + 0.5 * source.normal());
  }
  return X;
}

/** Brute force in float64: all distances, sorted, equals in the order of their rows. */
export function bruteForce(X: Matrix, query: Float32Array, metric: Metric): { index: number; far: number }[] {
  const lengths = lengthsOf(X);
  const [own] = lengthsOf({ data: query, rows: 1, cols: X.cols });
  return Array.from({ length: X.rows }, (_, index) => ({
    index,
    far: distance(metric, query, row(X, index), own!, lengths[index]!),
  })).sort((a, b) => a.far - b.far || a.index - b.index);
}

/** What every neighbour index must do. `make` builds one over X. */
export function neighborContract(
  name: string,
  make: (X: Matrix, metric: Metric) => Promise<NeighborIndex>,
  skip: string | undefined,
): void {
  describe.skipIf(skip !== undefined)(`the index ${name}${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
    describe.each(METRICS)('%s', (metric) => {
      it('finds each row as its own nearest, at distance 0', async () => {
        const X = clustered(60, 9, 1);
        const { indices, distances, k } = await (await make(X, metric)).search(X, 3);
        expect([k, indices.length, distances.length]).toEqual([3, 180, 180]);
        for (let i = 0; i < 60; i++) {
          expect(indices[3 * i]).toBe(i);
          expect(distances[3 * i]).toBeCloseTo(0, 6);
        }
      });

      it('gives distances in ascending order, those of brute force', async () => {
        const X = clustered(80, 12, 2);
        const queries = clustered(15, 12, 3);
        const { indices, distances } = await (await make(X, metric)).search(queries, 6);
        for (let i = 0; i < 15; i++) {
          const all = bruteForce(X, row(queries, i), metric);
          const near = distances.subarray(6 * i, 6 * i + 6);
          expect([...near]).toEqual([...near].sort((a, b) => a - b));
          near.forEach((far, j) => {
            expect(far).toBe(Math.fround(all.find(({ index }) => index === indices[6 * i + j])!.far));
          });
        }
      });

      it('finds equal rows in their order', async () => {
        const X = matrix(
          8,
          3,
          Float32Array.from({ length: 24 }, (_, at) => 1 + (at % 3)),
        );
        const { indices } = await (await make(X, metric)).search(matrix(1, 3, Float32Array.of(1, 2, 3)), 8);
        expect([...indices]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      });

      it('stands rows and queries of zeros', async () => {
        const X = clustered(10, 4, 4);
        X.data.fill(0, 0, 4);
        const { distances } = await (await make(X, metric)).search(matrix(1, 4), 10);
        expect(distances.every((far) => far >= 0)).toBe(true);
        if (metric === 'cosine') expect([...distances]).toEqual(Array(10).fill(1));
      });

      it('cuts k to the number of rows, and takes no queries', async () => {
        const index = await make(clustered(7, 4, 5), metric);
        const all = await index.search(clustered(2, 4, 6), 100);
        expect(all.k).toBe(7);
        expect([...all.indices.slice(0, 7)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
        expect((await index.search(matrix(0, 4), 3)).indices.length).toBe(0);
      });

      it('rejects queries of another width or with NaN, and changes nothing', async () => {
        const X = clustered(9, 4, 7);
        const before = X.data.slice();
        const index = await make(X, metric);
        expect(index).toMatchObject({ metric, rows: 9, cols: 4 });
        await expectCode(index.search(matrix(1, 5), 3), 'FIT_INVALID', /4 features .* have 5/);
        await expectCode(index.search(matrix(1, 4, Float32Array.of(1, NaN, 0, 0)), 3), 'FIT_INVALID', /NaN/);
        await index.search(X, 3);
        expect(X.data).toEqual(before);
      });
    });
  });
}
