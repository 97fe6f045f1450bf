import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/core/matrix.ts';
import { blocksOf, gatheredRows, joinedBlocks, matrixRows, stackedRows, type Rows } from '../../src/core/rows.ts';
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

describe('a matrix as rows', () => {
  it('is one block, the matrix itself', async () => {
    const rows = matrixRows(X);
    expect(rows).toMatchObject({ rows: 11, cols: 3, starts: [0, 11] });
    expect(await rows.read(0)).toBe(X);
    expect(joinedBlocks(rows)).toBe(rows);
  });

  it('is not written into where each row is scaled', async () => {
    const before = X.data.slice();
    const scales = Float32Array.from({ length: 11 }, (_, i) => i % 3);
    const { data } = await matrixRows(X).read(0, scales);
    expect([...data]).toEqual([...before].map((value, at) => value * (Math.floor(at / 3) % 3)));
    expect(X.data).toEqual(before);
  });
});

describe('stacked rows', () => {
  const Y = matrix(
    5,
    3,
    Float32Array.from({ length: 15 }, (_, i) => -i),
  );

  it('are those of each part, one after the other, in its blocks', async () => {
    const stacked = stackedRows([blockRows(X, 4), matrixRows(Y)]);
    expect(stacked).toMatchObject({ rows: 16, cols: 3, starts: [0, 4, 8, 11, 16] });
    expect(stacked.matrix).toBeUndefined();
    expect((await read(stacked)).flat()).toEqual([...X.data, ...Y.data]);
    const scales = Float32Array.from({ length: 16 }, (_, i) => i);
    const scaled = [...X.data, ...Y.data].map((value, at) => value * Math.floor(at / 3));
    expect((await read(stacked, scales)).flat()).toEqual(scaled);
  });

  it('in memory are one matrix, and of one part that part', () => {
    expect([...stackedRows([matrixRows(X), matrixRows(Y)]).matrix!.data]).toEqual([...X.data, ...Y.data]);
    const rows = blockRows(X, 4);
    expect(stackedRows([rows])).toBe(rows);
  });
});

describe('gathered rows', () => {
  it('are copied in the order that is asked for, from the blocks that have some', async () => {
    const rows = blockRows(X, 2);
    const blocks: number[] = [];
    const counted = { ...rows, read: (block: number) => (blocks.push(block), rows.read(block)) };
    const wanted = [9, 0, 9, 1, 5];
    const found = await gatheredRows(counted, wanted);
    expect([...found.data]).toEqual(wanted.flatMap((i) => [...X.data.subarray(3 * i, 3 * i + 3)]));
    expect(blocks).toEqual([0, 2, 4]);
    expect(await gatheredRows(counted, [])).toMatchObject({ rows: 0, cols: 3 });
  });
});
