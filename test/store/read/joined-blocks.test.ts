import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.ts';
import { blocksOf, type Rows } from '../../../src/core/rows.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { joinedStore, PARTS, WIDE } from '../../support/joined-store.ts';
import { openMade, matricesOf } from '../../support/stores.ts';

const folder = temporaryFolders();

const made = (sameOrder = false) => joinedStore(join(folder(), 'store'), sameOrder);

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Bytes of each row: sixty thousand numbers compare faster so. */
async function rowsOf(source: Rows): Promise<Buffer[]> {
  const rows: Buffer[] = [];
  for await (const { X } of blocksOf(source))
    for (let i = 0; i < X.rows; i++) rows.push(Buffer.from(bytesOf(row(X, i))));
  return rows;
}

describe.each([
  ['in other orders', false],
  ['in the same order', true],
])('a stream of parts and views that are stored %s', (_, sameOrder) => {
  it('joins them row by row: the rows and views that loading gives, in every pass', async () => {
    const { store, manifest } = await made(sameOrder);
    const loaded = (await matricesOf(openMade({ store, manifest }), PARTS, ['train'])).get('train')!;
    const looked = (await matricesOf(openMade({ store, manifest }), PARTS, ['train'], 1)).get('train')!;
    const stream = await openMade({ store, manifest }).rows({
      parts: PARTS,
      splits: ['train'],
      views: 1,
      memory: 'blocks',
    });
    expect([stream.rows, stream.cols]).toEqual([loaded.X.rows, loaded.X.cols]);
    const [view] = stream.views;
    expect(view!.starts).toEqual(stream.starts);
    for (let pass = 1; pass <= 2; pass++) {
      for (const [source, { X }] of [
        [stream, loaded],
        [view!, looked],
      ] as const) {
        const rows = await rowsOf(source);
        for (const [i, place] of stream.places.entries()) expect(rows[i]!.equals(bytesOf(row(X, place)))).toBe(true);
      }
    }
    // Blocks of the images and of their views can be read beside each other.
    const [one, other] = [await stream.read(0), await view!.read(0)];
    expect(one.data).not.toEqual(other.data);
    expect(one.data[0]).toBe(loaded.X.data[stream.places[0]! * stream.cols]);
  });
});

describe('a stream of several parts', () => {
  it('says what it takes, cuts blocks to a bound, and refuses a view that there is not', async () => {
    const { store, manifest } = await made();
    const wide = Array.from({ length: 70 }, () => PARTS[1]!);
    const stream = await openMade({ store, manifest }).rows({
      parts: wide,
      splits: ['train', 'val'],
      memory: 'blocks',
    });
    // 16.8 MB a row: seven rows in 128 MiB.
    const sizes = stream.starts.slice(1).map((end, b) => end - stream.starts[b]!);
    expect(Math.max(...sizes)).toBe(Math.floor(2 ** 27 / (4 * stream.cols)));
    expect(sizes.reduce((sum, rows) => sum + rows, 0)).toBe(40);
    expect(stream.peakBytes).toBeGreaterThan(2 ** 26 + 70 * 5 * WIDE.flatten * 2);
    await rejection(
      openMade({ store, manifest }).rows({ parts: PARTS, splits: ['train'], views: 2, memory: 'blocks' }),
      'OPTION_INVALID',
    );
  });
});
