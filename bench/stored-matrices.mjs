// @ts-check
/** @typedef {import('../src/core/matrix.ts').Matrix} Matrix */
/** @typedef {import('../src/store/format/shard.ts').StoredSample} StoredSample */

/**
 * Features of splits of an opened store as matrices, each with its samples: row i of X for samples[i].
 * @param {import('../src/store/open.ts').Store} store
 * @param {import('../src/store/read/rows.ts').RowsRequest['parts']} parts
 * @param {readonly import('../src/core/sample.ts').Split[]} splits
 * @param {number} [view]
 * @returns {Promise<Map<import('../src/core/sample.ts').Split, { X: Matrix, samples: StoredSample[] }>>}
 */
export async function storedMatrices(store, parts, splits, view = 0) {
  const all = [...(await store.samples())];
  const loaded = new Map();
  for (const split of splits) {
    const rows = await store.rows({ parts, splits: [split], views: view, memory: 'matrix' });
    const X = view === 0 ? rows.matrix : rows.views[view - 1]?.matrix;
    loaded.set(split, { X, samples: all.filter((sample) => sample.split === split) });
  }
  return loaded;
}
