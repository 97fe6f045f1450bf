import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/core/matrix.ts';
import { blocksOf, joinedBlocks, type Rows } from '../../src/core/rows.ts';
import { blockRows } from '../support/rows.ts';

const X = matrix(
  11,
  3,
  Float32Array.from({ length: 33 }, (_, i) => i + 1),
);

async function read(source: Rows, scales?: Float32Array): Promise<number[][]> {
  const blocks: number[][] = [];
  for (let b = 0; b + 1 < source.starts.length; b++) blocks.push([...(await source.read(b, scales)).data]);
  return blocks;
}

describe('joined blocks', () => {
  it('hold the same rows, as many blocks together as they have room for', async () => {
    // Blocks of two rows, six values.
    const joined = joinedBlocks(blockRows(X, 2), 15);
    expect(joined.starts).toEqual([0, 4, 8, 11]);
    expect((await read(joined)).flat()).toEqual([...X.data]);
    const found: number[] = [];
    for await (const { start, X: block } of blocksOf(joined)) found.push(start, block.rows);
    expect(found).toEqual([0, 4, 4, 4, 8, 3]);
  });

  it('are those of the source where there is no room for two', async () => {
    const joined = joinedBlocks(blockRows(X, 4), 15);
    expect(joined.starts).toEqual([0, 4, 8, 11]);
    expect((await read(joined)).flat()).toEqual([...X.data]);
  });

  it('are one where all have room, and none where there are no rows', async () => {
    expect(joinedBlocks(blockRows(X, 2)).starts).toEqual([0, 11]);
    expect(await read(joinedBlocks(blockRows(X, 2)))).toEqual([[...X.data]]);
    const empty = joinedBlocks({ rows: 0, cols: 3, starts: [0], read: () => Promise.reject(new Error()) });
    expect(await read(empty)).toEqual([]);
  });

  it('pass on the scales of the rows', async () => {
    const scales = Float32Array.from({ length: 11 }, (_, i) => i % 3);
    const scaled = [...X.data].map((value, at) => value * (Math.floor(at / 3) % 3));
    expect((await read(joinedBlocks(blockRows(X, 2), 15), scales)).flat()).toEqual(scaled);
  });
});
