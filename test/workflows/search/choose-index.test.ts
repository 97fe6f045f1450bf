import { describe, expect, it } from 'vitest';
import { chooseIndex, expectedSeconds, type IndexFacts } from '../../../src/workflows/search/choose-index.ts';

const facts = (more: Partial<IndexFacts>): IndexFacts => ({
  rows: 1e6,
  cols: 512,
  queries: 10,
  kept: false,
  hindrance: undefined,
  ...more,
});

describe('auto takes', () => {
  it('exact search for a few images, however many are stored and whether graphs are kept', () => {
    for (const rows of [10, 1e4, 1e6, 1e7]) {
      for (const kept of [false, true]) expect(chooseIndex(facts({ rows, kept })).index).toBe('exact');
    }
  });

  it('kept graphs for many images, graphs that must be built for very many alone', () => {
    expect(chooseIndex(facts({ queries: 10_000, kept: true })).index).toBe('hnsw');
    expect(chooseIndex(facts({ queries: 10_000 })).index).toBe('exact');
    expect(chooseIndex(facts({ queries: 1_000_000 })).index).toBe('hnsw');
  });

  it('what is expected to take less, and says both times', () => {
    for (const queries of [1, 300, 3000, 30_000, 300_000]) {
      const given = facts({ queries, kept: queries % 2 === 0 });
      const { exact, hnsw } = expectedSeconds(given);
      const { index, why } = chooseIndex(given);
      expect(index).toBe(hnsw < exact ? 'hnsw' : 'exact');
      expect(why).toContain(`about ${exact.toPrecision(2)} s by exact search, ${hnsw.toPrecision(2)} s by`);
    }
  });

  it('exact search where graphs would be sooner but cannot be searched, and says why', () => {
    const { index, why } = chooseIndex(facts({ queries: 1e6, hindrance: 'hnswlib-node does not load' }));
    expect(index).toBe('exact');
    expect(why).toContain(', but hnswlib-node does not load');
    // Where it would be slower anyway that is no reason.
    expect(chooseIndex(facts({ hindrance: 'hnswlib-node does not load' })).why).not.toContain('but');
  });
});
