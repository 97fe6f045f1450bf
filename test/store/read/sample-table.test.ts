import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPLITS } from '../../../src/core/sample.ts';
import { sampleTable } from '../../../src/store/read/sample-table.ts';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import { storedRow } from '../../support/stored-rows.ts';

const byPath = (a: StoredSample, b: StoredSample): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

const samples = fc
  .uniqueArray(
    fc.record({
      path: fc.oneof(
        fc.string(),
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('é', 'e\u0301', '\u{1F41C}', '\uFF5E'),
      ),
      label: fc.constantFrom('ant', 'bee', 'Biene', 'hormiga ñ', ''),
      split: fc.constantFrom(...SPLITS),
      content: fc.integer({ min: 0, max: 20 }),
      width: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      height: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      orientation: fc.integer({ min: 1, max: 8 }),
    }),
    { selector: ({ path }) => path, maxLength: 60 },
  )
  .map((list) =>
    list.map(({ path, content, ...rest }) => storedRow(path, { content: String(content), ...rest })).sort(byPath),
  );

describe('a table of samples', () => {
  it('gives back each sample as it was taken, its row by its path, and counts', () => {
    fc.assert(
      fc.property(samples, fc.string(), (list, other) => {
        const table = sampleTable(list);
        expect(table.length).toBe(list.length);
        expect(list.map((_, row) => table.sample(row))).toEqual(list);
        list.forEach(({ path, label, split, sha256 }, row) => {
          expect([table.pathOf(row), table.labelOf(row), table.splitOf(row), table.digests.at(row)]).toEqual([
            path,
            label,
            split,
            sha256,
          ]);
          expect(table.rowOf(path)).toBe(row);
        });
        expect(table.rowOf(other)).toBe(list.findIndex(({ path }) => path === other));
        expect(table.labels).toEqual([...new Set(list.map(({ label }) => label))].sort());
        const { labels, splits } = table.counts();
        expect(labels).toEqual(table.labels.map((one) => list.filter(({ label }) => label === one).length));
        for (const one of SPLITS) expect(splits[one]).toBe(list.filter(({ split }) => split === one).length);
        expect(() => table.sample(list.length)).toThrow(RangeError);
      }),
      { numRuns: 60 },
    );
  });

  it('holds 20,000 samples, which are more than a chunk, in 60 bytes each and their paths', () => {
    const list = Array.from({ length: 20_000 }, (_, i) =>
      storedRow(`class-${i % 7}/${String(i).padStart(6, '0')}.jpg`, { label: `class-${i % 7}` }),
    ).sort(byPath);
    const table = sampleTable(list);
    for (const row of [0, 4095, 4096, 8191, 8192, 19_999]) {
      expect(table.sample(row)).toEqual(list[row]);
      expect(table.rowOf(list[row]!.path)).toBe(row);
    }
    const paths = list.reduce((sum, { path }) => sum + path.length, 0);
    expect(table.bytes).toBeGreaterThan(paths);
    expect(table.bytes).toBeLessThanOrEqual(paths + 60 * list.length);
  });
});
