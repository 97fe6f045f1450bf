import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../../src/core/rows.ts';
import { DEFAULT_POOLINGS } from '../../../src/core/sample.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { settingsWith, storedRow } from '../../support/stored-rows.ts';
import { fillStore, openMade, matricesOf } from '../../support/stores.ts';

const folder = temporaryFolders();

const FLATTEN = { cut: 'block5_pool', pooling: 'flatten' } as const;

const ROWS = [
  ...Array.from({ length: 23 }, (_, i) =>
    storedRow(`${i}.jpg`, { label: i % 2 ? 'ant' : 'bee', split: i % 5 === 0 ? 'val' : 'train' }),
  ),
  // The same picture again: in train under another label, and in val.
  storedRow('copy.jpg', { content: '3.jpg', label: 'cat' }),
  storedRow('leak.jpg', { content: '4.jpg', split: 'val' }),
];

describe.each(['float16', 'float32'] as const)('a stream of %s features', (dtype) => {
  const made = () => fillStore(join(folder(), 'store'), ROWS, { perShard: 7, settings: settingsWith({ dtype }) });

  it.each(DEFAULT_POOLINGS)('gives every row of a split that loading gives, with its sample: %s', async (pooling) => {
    const { store, manifest } = await made();
    for (const split of ['train', 'val'] as const) {
      const { X, samples } = (await matricesOf(openMade({ store, manifest }), pooling, [split])).get(split)!;
      const wanted = new Map(
        samples.map((sample, i) => [sample.path, { sample, row: X.data.slice(i * X.cols, (i + 1) * X.cols) }]),
      );
      const stream = await openMade({ store, manifest }).rows({
        parts: [{ cut: 'block5_pool', pooling }],
        splits: [split],
        memory: 'blocks',
      });
      expect([stream.rows, stream.cols]).toEqual([X.rows, X.cols]);
      const named = await stream.samplesOf(stream.places);
      for (let pass = 1; pass <= 2; pass++) {
        const seen = new Set<string>();
        for await (const { start, X: block } of blocksOf(stream)) {
          for (let i = 0; i < block.rows; i++) {
            const place = stream.places[start + i]!;
            const sample = named.get(place)!;
            expect(sample).toEqual(samples[place]);
            expect(stream.labels[start + i]).toBe(sample.label);
            seen.add(sample.path);
            expect(sample).toEqual(wanted.get(sample.path)!.sample);
            const row = block.data.slice(i * X.cols, (i + 1) * X.cols);
            expect(row).toEqual(wanted.get(sample.path)!.row);
          }
        }
        expect([...seen].sort()).toEqual([...wanted.keys()].sort());
      }
    }
  });

  it('gives rows times their scale', async () => {
    const { store, manifest } = await made();
    const stream = await openMade({ store, manifest }).rows({
      parts: [FLATTEN],
      splits: ['train'],
      memory: 'blocks',
    });
    const scales = Float32Array.from({ length: stream.rows }, (_, i) => 1 + i / 7);
    for (let b = 0; b + 1 < stream.starts.length; b++) {
      const plain = (await stream.read(b)).data.slice();
      const scaled = await stream.read(b, scales);
      scaled.data.forEach((value, at) =>
        expect(value).toBe(Math.fround(plain[at]! * scales[stream.starts[b]! + Math.floor(at / stream.cols)]!)),
      );
    }
  });
});

describe('a stream', () => {
  it('refuses a file that is not what was written, also when it changes between two passes', async () => {
    const { store, manifest, set } = await fillStore(join(folder(), 'store'), ROWS, { perShard: 7 });
    const path = join(store, set.shards[1]!.files.flatten!.name);
    const stream = await openMade({ store, manifest }).rows({
      parts: [FLATTEN],
      splits: ['train'],
      memory: 'blocks',
    });
    await stream.read(1);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    utimesSync(path, 1, 1);
    const { message } = await rejection(stream.read(1), 'STORE_CORRUPT');
    expect(message).toContain(path);
    writeFileSync(path, bytes.subarray(0, 100));
    await rejection(stream.read(1), 'STORE_CORRUPT');
  });

  it('says how much memory it takes: the largest file, its rows in float32, and what is kept of each row', async () => {
    const { store, manifest, set } = await fillStore(join(folder(), 'store'), ROWS, { perShard: 7 });
    const { peakBytes: memory } = await openMade({ store, manifest }).rows({
      parts: [FLATTEN],
      splits: ['train'],
      memory: 'blocks',
    });
    const largest = Math.max(...set.shards.map(({ files }) => files.flatten!.bytes));
    expect(memory).toBeGreaterThan(largest);
    expect(memory).toBeLessThanOrEqual(largest + 8 * set.widths.flatten * 4 + ROWS.length * 330);
  });

  it('takes less once it is open: what finding the rows took is given back', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => storedRow(`${i}.jpg`));
    const narrow = { flatten: 4, avg: 2, max: 2 };
    const { store, manifest, set } = await fillStore(join(folder(), 'narrow'), many, {
      widths: narrow,
      perShard: 500,
    });
    const {
      peakBytes: memory,
      openBytes,
      rows,
    } = await openMade({ store, manifest }).rows({ parts: [FLATTEN], splits: ['train'], memory: 'blocks' });
    const largest = Math.max(...set.shards.map(({ files }) => files.flatten!.bytes));
    expect(openBytes).toBeGreaterThan(largest);
    expect(openBytes).toBeLessThan(largest + 500 * 4 * 4 + 100 * rows);
    expect(memory).toBeGreaterThan(300 * rows);
  });
});

it('single rows of any numbers are those of the matrix, in any order, of parts side by side too', async () => {
  const { store, manifest } = await fillStore(join(folder(), 'store'), ROWS, { perShard: 7 });
  const parts = [FLATTEN, { cut: 'block5_pool', pooling: 'avg' }] as const;
  const request = { parts, splits: ['train'] } as const;
  const whole = await openMade({ store, manifest }).rows({ ...request, memory: 'matrix' });
  const blocks = await openMade({ store, manifest }).rows({ ...request, memory: 'blocks' });
  const wanted = [11, 0, 5, 17, 2];
  const [a, b] = [0, 1].map(() => new Float32Array(wanted.length * whole.cols)) as [Float32Array, Float32Array];
  await whole.pick(
    wanted.map((row) => blocks.places[row]!),
    a,
  );
  await blocks.pick(wanted, b);
  expect(b).toEqual(a);
  wanted.forEach((row, i) => {
    const own = whole.matrix.data.subarray(blocks.places[row]! * whole.cols, (blocks.places[row]! + 1) * whole.cols);
    expect(a.subarray(i * whole.cols, (i + 1) * whole.cols)).toEqual(own);
  });
});
