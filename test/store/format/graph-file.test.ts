import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { emptyGraph, insertRows } from '../../../src/classify/neighbors/hnsw-graph.ts';
import { checkGraphFile } from '../../../src/store/format/graph-file.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const [ROWS, COLS] = [300, 6];
const HEAD_BYTES = 96;
/** Links of a row on the ground, its numbers, its label. */
const ELEMENT_BYTES = 4 + 4 * 8 + 4 * COLS + 8;

async function graphFile(): Promise<string> {
  const generator = random(3);
  const X = matrix(ROWS, COLS);
  X.data.forEach((_, i) => (X.data[i] = generator.uniform()));
  const graph = await emptyGraph(ROWS, COLS, { metric: 'euclidean', M: 4, efConstruction: 20, seed: 1 });
  await insertRows(graph, X, (row) => row);
  const path = join(folder(), 'graph.bin');
  await graph.writeIndex(path);
  return path;
}

describe("a graph's file", () => {
  it('is taken as hnswlib wrote it, for the features that it is of alone', async () => {
    const path = await graphFile();
    await checkGraphFile(path, { rows: ROWS, cols: COLS });
    await expect(checkGraphFile(path, { rows: ROWS, cols: COLS + 1 })).rejects.toThrow(/where 7 numbers are expected/);
    await expect(checkGraphFile(path, { rows: ROWS - 1, cols: COLS })).rejects.toThrow(/300 of 300 rows, of 299/);
  });

  it.each([
    ['a link on the ground leads out of it', HEAD_BYTES + 4, ROWS, /a link to row 300/],
    ['a row has more links than it may', HEAD_BYTES, 9, /9 links of a row/],
    ['a label is of no row', HEAD_BYTES + ELEMENT_BYTES - 8, ROWS, /the row 300 of 300/],
    ['the entry is no row', 52, ROWS, /the entry 300/],
    ['there are more rows than bytes', 16, 2 ** 31, /2147483648 of 300 rows/],
    ['rows are laid out otherwise', 40, 8, /rows of \d+ bytes/],
    [
      'the links above the ground are cut',
      HEAD_BYTES + ROWS * ELEMENT_BYTES,
      3,
      /links above the ground|bytes of links/,
    ],
  ])('is refused where %s', async (_, at, value, words) => {
    const path = await graphFile();
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(value, at);
    writeFileSync(path, bytes);
    await expect(checkGraphFile(path, { rows: ROWS, cols: COLS })).rejects.toThrow(words);
  });

  it('is refused wherever it is cut off', async () => {
    const path = await graphFile();
    const bytes = readFileSync(path);
    for (const share of [0, 0.001, 0.5, 0.99]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
      await expect(checkGraphFile(path, { rows: ROWS, cols: COLS })).rejects.toThrow();
    }
  });
});
