import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Contract } from '../../src/core/contract.ts';
import { PermafrostError } from '../../src/core/errors.ts';
import { matrix, type Matrix } from '../../src/core/matrix.ts';
import type { Sample } from '../../src/core/sample.ts';
import { CONTRACTS } from '../../src/extract/contract.ts';
import type { Executable } from '../../src/extract/engines/engine.ts';
import { extractFeatures, type PipelineEvent, type PipelineOptions } from '../../src/extract/pipeline.ts';
import { textWith } from '../support/errors.ts';
import { temporaryFolders } from '../support/folders.ts';
import { texture, toSharp } from '../support/pictures.ts';

const contract: Contract = { ...CONTRACTS.keras, size: 16 };
const IMAGE = 16 * 16 * 3;
const folder = temporaryFolders();

/** A network that any image goes through alone: its mean, and its mean with a checksum that no two images share. */
function fakeNetwork(onRun: (count: number) => void | Promise<void> = () => undefined) {
  const counts: number[] = [];
  const executable: Executable = {
    async run(pixels, count) {
      counts.push(count);
      await onRun(count);
      const [avg, flatten] = [matrix(count, 1), matrix(count, 2)];
      for (let i = 0; i < count; i++) {
        let [sum, check] = [0, 0];
        for (let k = 0; k < IMAGE; k++) {
          sum += pixels[i * IMAGE + k]!;
          check = (check * 31 + pixels[i * IMAGE + k]!) % 16_777_213; // a prime below 2^24: exact in float32
        }
        avg.data[i] = sum / IMAGE;
        flatten.data.set([sum / IMAGE, check], i * 2);
      }
      return [avg, flatten];
    },
    dispose: () => Promise.resolve(),
  };
  return { executable, counts };
}

type Given = Partial<PipelineOptions> & Pick<PipelineOptions, 'root' | 'samples'>;

/** Runs the pipeline to its end as a workflow does: what was extracted is known from then on. */
async function collect(given: Given, onEvent: (event: PipelineEvent) => void = () => undefined) {
  const known = new Set<string>();
  const features = new Map<string, number[]>();
  const events: PipelineEvent[] = [];
  const { executable } = fakeNetwork();
  const stream = extractFeatures({
    contract,
    executable,
    batch: 4,
    isKnown: (sha256) => known.has(sha256),
    ...given,
  });
  for await (const event of stream) {
    events.push(event);
    if (event.kind === 'features') {
      const [avg, flatten] = event.batch.outputs as [Matrix, Matrix];
      for (const [i, row] of event.batch.rows.entries()) {
        known.add(row.sha256);
        features.set(row.path, [avg.data[i]!, ...flatten.data.subarray(i * 2, i * 2 + 2)]);
      }
    }
    onEvent(event);
  }
  return { features, events, known };
}

const sampleOf = (path: string): Sample => ({ path, label: 'x', split: 'train' });

async function writePictures(root: string, count: number, side = 12): Promise<Sample[]> {
  mkdirSync(root, { recursive: true });
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const path = `${String(i).padStart(4, '0')}.png`;
      writeFileSync(
        join(root, path),
        await toSharp(texture(side, side, i + 1))
          .png()
          .toBuffer(),
      );
      return sampleOf(path);
    }),
  );
}

describe('the pipeline', () => {
  let root: string;
  let samples: Sample[];
  beforeAll(async () => {
    root = folder();
    samples = await writePictures(root, 11);
  });

  it('gives each image the same features, whatever the batch size and the order', async () => {
    const { features: expected } = await collect({ root, samples, batch: 1 });
    expect(new Set([...expected.values()].map(String)).size).toBe(samples.length);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.shuffledSubarray(samples, { minLength: 1 }),
        async (batch, chosen) => {
          const { features } = await collect({ root, samples: chosen, batch });
          expect(features.size).toBe(chosen.length);
          for (const [path, values] of features) expect(values).toEqual(expected.get(path));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('emits rows in the order of the samples, with digest, size and orientation of each file', async () => {
    const { events } = await collect({ root, samples, batch: 3 });
    const rows = events.flatMap((event) => (event.kind === 'features' ? event.batch.rows : []));
    expect(rows.map(({ path }) => path)).toEqual(samples.map(({ path }) => path));
    expect(rows[0]).toEqual({
      ...samples[0],
      width: 12,
      height: 12,
      orientation: 1,
      sha256: textWith(/^[0-9a-f]{64}$/),
    });
  });

  it('keeps batches full around files that fail or are known', async () => {
    const { known } = await collect({ root, samples: samples.slice(2, 5) });
    const broken = ['gone.png', 'gone-too.png'].map(sampleOf);
    const mixed = [broken[0]!, ...samples.slice(0, 7), broken[1]!, ...samples.slice(7)];
    const { executable, counts } = fakeNetwork();
    const { events } = await collect({
      root,
      samples: mixed,
      executable,
      batch: 3,
      isKnown: (sha256) => known.has(sha256),
    });
    expect(counts).toEqual([3, 3, 2]);
    expect(events.filter(({ kind }) => kind === 'failure')).toHaveLength(2);
    const reused = events.flatMap((event) => (event.kind === 'known' ? event.sample.path : []));
    expect(reused).toEqual(samples.slice(2, 5).map(({ path }) => path));
  });

  it('ends a batch where a unit of the listing ends, whatever is known, fails or is a copy before it', async () => {
    const { known } = await collect({ root, samples: samples.slice(0, 1) });
    const copy = 'copy-of-a-unit.png';
    writeFileSync(join(root, copy), readFileSync(join(root, samples[2]!.path)));
    // Units of five: one image is known, then a copy of one of the unit before and a file that is not there.
    const order = [...samples.slice(0, 5), sampleOf(copy), sampleOf('gone.png'), ...samples.slice(5)];
    const { executable, counts } = fakeNetwork();
    const { events, features } = await collect(
      {
        root,
        samples: order,
        executable,
        batch: 3,
        unitOf: (index) => Math.floor(index / 5),
        isKnown: (sha256) => known.has(sha256),
      },
      (event) => {
        if (event.kind === 'features') for (const { sha256 } of event.batch.rows) known.add(sha256);
      },
    );
    expect(counts).toEqual([3, 1, 3, 3]);
    expect(features.size).toBe(10);
    const units = events.flatMap((event) => (event.kind === 'features' ? [event.batch] : []));
    expect(
      units.map(({ unit, rows }) => [unit, ...rows.map(({ path }) => order.findIndex((s) => s.path === path))]),
    ).toEqual([
      [0, 1, 2, 3],
      [0, 4],
      [1, 7, 8, 9],
      [2, 10, 11, 12],
    ]);
  });

  it('runs each of several networks before the next unit of the listing begins', async () => {
    const networks = [fakeNetwork(), fakeNetwork()];
    const { events } = await collect({
      root,
      samples,
      batch: 4,
      unitOf: (index) => Math.floor(index / 4),
      choose: (sha256) => networks[Number.parseInt(sha256[0]!, 16) % 2]!.executable,
    });
    const units = events.flatMap((event) => (event.kind === 'features' ? [event.batch.unit] : []));
    expect(units).toEqual(units.toSorted((a, b) => a - b));
    expect(networks.flatMap(({ counts }) => counts).reduce((a, b) => a + b)).toBe(samples.length);
    expect(networks.every(({ counts }) => counts.length > 1)).toBe(true);
  });

  it('infers identical files once, in one batch or in two, and tells of each copy', async () => {
    for (const batch of [1, 2, 4, 16]) {
      const copies = ['copy-a.png', 'copy-b.png'];
      for (const copy of copies) writeFileSync(join(root, copy), readFileSync(join(root, samples[0]!.path)));
      const { executable, counts } = fakeNetwork();
      const order = [samples[0]!, sampleOf(copies[0]!), samples[1]!, samples[2]!, sampleOf(copies[1]!)];
      const { events, features } = await collect({ root, samples: order, executable, batch });
      expect(counts.reduce((a, b) => a + b, 0)).toBe(3);
      expect([...features.keys()].sort()).toEqual(samples.slice(0, 3).map(({ path }) => path));
      const known = events.flatMap((event) => (event.kind === 'known' ? [event] : []));
      expect(known.map(({ sample }) => sample.path)).toEqual(copies);
      const [first] = events.flatMap((event) => (event.kind === 'features' ? event.batch.rows : []));
      expect(new Set(known.map(({ sha256 }) => sha256))).toEqual(new Set([first!.sha256]));
    }
  });

  it('tells path, code and reason of each file that fails, and goes on', async () => {
    const dirty = folder();
    const whole = await toSharp(texture(64, 64, 1))
      .jpeg()
      .toBuffer();
    writeFileSync(join(dirty, 'empty.jpg'), '');
    writeFileSync(join(dirty, 'text.jpg'), 'no picture');
    writeFileSync(join(dirty, 'cut.jpg'), whole.subarray(0, whole.length / 2));
    writeFileSync(join(dirty, 'good.jpg'), whole);
    mkdirSync(join(dirty, 'folder.jpg'));
    const paths = ['cut.jpg', 'empty.jpg', 'folder.jpg', 'gone.jpg', 'good.jpg', 'text.jpg'];
    const { events, features } = await collect({ root: dirty, samples: paths.map(sampleOf) });
    expect(events.flatMap((event) => (event.kind === 'failure' ? [event.failure] : []))).toEqual([
      { path: 'cut.jpg', code: 'IMAGE_UNDECODABLE', reason: textWith('premature end') },
      { path: 'empty.jpg', code: 'IMAGE_UNDECODABLE', reason: 'The file is empty (0 bytes).' },
      { path: 'folder.jpg', code: 'IMAGE_UNREADABLE', reason: 'It is a folder.' },
      { path: 'gone.jpg', code: 'IMAGE_UNREADABLE', reason: textWith('ENOENT') },
      { path: 'text.jpg', code: 'IMAGE_UNDECODABLE', reason: textWith('no JPEG, PNG') },
    ]);
    expect([...features.keys()]).toEqual(['good.jpg']);
  });

  it('ends after the batch in flight when it is aborted, and delivers that batch', async () => {
    const controller = new AbortController();
    const { executable, counts } = fakeNetwork(() => {
      if (counts.length === 2) controller.abort();
    });
    const { features } = await collect({ root, samples, executable, batch: 2, signal: controller.signal });
    expect(counts).toEqual([2, 2]);
    expect([...features.keys()]).toEqual(samples.slice(0, 4).map(({ path }) => path));
  });

  it('runs nothing when it is aborted before it begins', async () => {
    const { executable, counts } = fakeNetwork();
    const { events } = await collect({ root, samples, executable, signal: AbortSignal.abort() });
    expect(events).toEqual([]);
    expect(counts).toEqual([]);
  });

  it('drops an unfilled batch when it is aborted while the last picture is decoded', async () => {
    const controller = new AbortController();
    const { executable, counts } = fakeNetwork();
    let asked = 0;
    const isKnown = (): boolean => {
      asked++; // once when a file is read, once when its turn has come
      if (asked === 6) controller.abort();
      return false;
    };
    const three = samples.slice(0, 3);
    const { events } = await collect({
      root,
      samples: three,
      executable,
      isKnown,
      signal: controller.signal,
    });
    expect(asked).toBe(6);
    expect(counts).toEqual([]);
    expect(events).toEqual([]);
  });

  it('loads the network before the first batch, once, and not at all where nothing goes through it', async () => {
    const prepare = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 5)));
    const { executable } = fakeNetwork(() => expect(prepare).toHaveBeenCalledTimes(1));
    const { known } = await collect({ root, samples, executable, prepare, batch: 2 });
    expect(prepare).toHaveBeenCalledTimes(1);
    await collect({ root, samples, executable, prepare, isKnown: (sha256) => known.has(sha256) });
    expect(prepare).toHaveBeenCalledTimes(1);
  });

  it('keeps the next batch waiting at the door of a network that leaves the thread free', async () => {
    let [inside, most] = [0, 0];
    const { executable } = fakeNetwork(async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 10));
      inside--;
    });
    await collect({ root, samples, executable, batch: 2 });
    expect(most).toBe(2);
  });

  it('passes on an error of the engine once, and ends', async () => {
    const failure = new PermafrostError('ENGINE_FAILED', 'out of memory');
    const { executable, counts } = fakeNetwork(() => {
      if (counts.length === 2) throw failure;
    });
    const stream = extractFeatures({
      root,
      samples,
      contract,
      executable,
      batch: 2,
      isKnown: () => false,
    });
    expect(await stream.next()).toMatchObject({ done: false, value: { kind: 'features' } });
    await expect(stream.next()).rejects.toBe(failure);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(counts).toEqual([2, 2]);
  });

  it('can be left in the middle without anything unhandled', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    writeFileSync(join(root, 'cut.png'), readFileSync(join(root, samples[0]!.path)).subarray(0, 200));
    const order = [...samples.slice(0, 2), sampleOf('cut.png'), sampleOf('cut.png')];
    const { executable } = fakeNetwork(() => Promise.reject(new Error('too late for anyone')));
    const given = {
      root,
      samples: order,
      contract,
      executable,
      batch: 2,
      isKnown: () => false,
    };
    for await (const event of extractFeatures(given)) {
      expect(event.kind).toBe('failure'); // of the first broken file, while a batch is in the network
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50)); // the other broken file and the batch fail meanwhile
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('the pipeline under load', () => {
  const COUNT = 500;
  const BATCH = 8;
  let root: string;
  let samples: Sample[];
  beforeAll(async () => {
    root = folder();
    samples = await writePictures(root, COUNT, 4);
  });

  it('holds at most four batches of images, however many there are, and more than one', async () => {
    const [read, delivered] = [new Set<string>(), new Set<string>()];
    let most = 0;
    const { executable, counts } = fakeNetwork(async () => {
      // Slow enough that everything that may be read ahead is read ahead.
      await new Promise((resolve) => setTimeout(resolve, 3));
      most = Math.max(most, read.size - delivered.size);
    });
    const { features } = await collect(
      {
        root,
        samples,
        executable,
        batch: BATCH,
        isKnown: (sha256) => {
          read.add(sha256); // asked as soon as a file's bytes are there
          most = Math.max(most, read.size - delivered.size);
          return false;
        },
      },
      (event) => {
        if (event.kind === 'features') for (const { sha256 } of event.batch.rows) delivered.add(sha256);
      },
    );
    expect(features.size).toBe(COUNT);
    expect(counts).toHaveLength(Math.ceil(COUNT / BATCH));
    expect(most).toBeLessThanOrEqual(4 * BATCH);
    expect(most).toBeGreaterThan(2 * BATCH);
  });

  it('has the next batch decoding before a network takes the thread, so that it blocks nothing', async () => {
    // sharp hands a picture to libuv's threads in toBuffer: what was called by then is decoded while JavaScript stands
    // still.
    const prototype = Object.getPrototypeOf(sharp()) as Sharp;
    const toBuffer = vi.spyOn(prototype, 'toBuffer');
    const begun: number[] = [];
    const { executable } = fakeNetwork(() => void begun.push(toBuffer.mock.calls.length));
    await collect({ root, samples: samples.slice(0, 6 * BATCH), executable, batch: BATCH });
    toBuffer.mockRestore();
    expect(begun).toHaveLength(6);
    for (const [i, decodings] of begun.slice(0, 5).entries()) {
      expect(decodings).toBeGreaterThanOrEqual((i + 2) * BATCH);
    }
  });
});
