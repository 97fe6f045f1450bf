import { describe, expect, it } from 'vitest';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead, loadHead } from '../../../src/classify/heads/index.ts';
import { rejection } from '../../support/errors.ts';
import { blockRows } from '../../support/rows.ts';
import { blobs, throughFile } from './head-contract.ts';

const { X, y } = blobs(['ant', 'bee', 'cat'], 17, 12);
const queries = blobs(['ant', 'bee', 'cat'], 5, 12, 3).X;

describe('the knn head on rows in blocks', () => {
  const head = createHead('knn', { weights: 'distance' });

  it('answers as in memory, also after a trip through a file, and keeps no rows', async () => {
    const whole = await (await head.fit(matrixRows(X), y)).predictProba(queries);
    const fitted = await head.fit(blockRows(X, 7), y);
    expect(await fitted.predictProba(queries)).toEqual(whole);
    expect([...fitted.state.tensors.keys()]).toEqual(['labels']);
    const back = await loadHead('knn', throughFile(fitted.state), blockRows(X, 10));
    expect(await back.predictProba(queries)).toEqual(whole);
  });

  it('refuses rows of another number or width, and to be loaded without any', async () => {
    const { state } = await head.fit(blockRows(X, 7), y);
    const fewer = { ...X, rows: X.rows - 1, data: X.data.subarray(12) };
    await rejection(loadHead('knn', state, blockRows(fewer, 7)), 'HEAD_CORRUPT');
    const wider = { rows: X.rows / 3, cols: 36, data: X.data };
    await rejection(loadHead('knn', state, blockRows(wider, 7)), 'HEAD_CORRUPT');
    await rejection(loadHead('knn', state), 'HEAD_CORRUPT');
  });

  it('refuses more neighbours than rows, and values that are not finite', async () => {
    await rejection(createHead('knn', { nNeighbors: 52 }).fit(blockRows(X, 7), y), 'FIT_INVALID');
    const broken = { ...X, data: X.data.slice() };
    broken.data[100] = NaN;
    await rejection(head.fit(blockRows(broken, 7), y), 'FIT_INVALID');
  });
});
