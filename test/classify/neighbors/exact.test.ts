import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectRows } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { METRICS } from '../../../src/classify/neighbors/neighbor-index.ts';
import { rejection } from '../../support/errors.ts';
import { blockRows } from '../../support/rows.ts';
import { clustered } from './neighbor-contract.ts';
import { rowsOf, SHAPES } from './neighbor-rows.ts';

describe.each(METRICS)('search in blocks by %s', (metric) => {
  it.each(SHAPES)(
    'is to the bit search in memory, however the rows are cut and in whatever order they are stored: %s',
    async (shape) => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            rows: fc.integer({ min: 2, max: 200 }),
            cols: fc.integer({ min: 2, max: 40 }),
            k: fc.integer({ min: 1, max: 12 }),
            size: fc.integer({ min: 1, max: 90 }),
            seed: fc.integer({ min: 1, max: 1e9 }),
          }),
          async ({ rows, cols, k, size, seed }) => {
            const X = rowsOf(shape, rows, cols, seed);
            const queries = selectRows(X, [0, rows >> 1, rows - 1]);
            const whole = await exactIndex(matrixRows(X), metric).search(queries, k);
            expect(await exactIndex(blockRows(X, size), metric).search(queries, k)).toEqual(whole);
            // Stored in another order, under the numbers that the rows have in memory.
            const numbers = Int32Array.from(random(seed).shuffle(Array.from({ length: rows }, (_, i) => i)));
            const stored = blockRows(selectRows(X, numbers), size);
            expect(await exactIndex(stored, metric, { numbers }).search(queries, k)).toEqual(whole);
          },
        ),
        { numRuns: 20 },
      );
    },
  );
});

describe('search in blocks', () => {
  it('reads the rows once for all queries, and not at all for none', async () => {
    const X = clustered(60, 5, 1);
    const source = blockRows(X, 7);
    const reads: number[] = [];
    const index = exactIndex({ ...source, read: (block) => (reads.push(block), source.read(block)) }, 'cosine');
    await index.search(selectRows(X, [1, 2, 3]), 4);
    expect(reads).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await index.search(selectRows(X, []), 4)).toMatchObject({ k: 4, indices: new Int32Array(0) });
    expect(reads).toHaveLength(9);
  });

  it('refuses queries of another width', async () => {
    const index = exactIndex(blockRows(clustered(9, 5, 1), 4), 'cosine');
    await rejection(index.search(clustered(1, 6, 1), 2), 'FIT_INVALID');
  });
});
