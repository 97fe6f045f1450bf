import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { DEFAULT_POOLINGS, SPLITS } from '../../../src/core/sample.ts';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import { openForWriting, setFor } from '../../../src/store/write/store.ts';
import { featureWriter } from '../../../src/store/write/writer.ts';
import { checkText } from '../../../src/report/check-report.ts';
import { check } from '../../../src/workflows/check/check.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { ENGINE, settingsWith, storedRow } from '../../support/stored-rows.ts';
import { commitSamples } from '../../support/stores.ts';

const folder = temporaryFolders();
const WIDTHS = { flatten: 24, avg: 12, max: 12 } as const;

/** Features of an image that looks like number `look`, a little (`off`) away from it. */
function featuresLike(look: number, off: number, pooling: keyof typeof WIDTHS): Float32Array {
  const [base, noise] = [random(look + 1), random(Math.round(off * 1e6) + 7)];
  return Float32Array.from({ length: WIDTHS[pooling] }, () => base.normal() + off * noise.normal());
}

interface Image {
  readonly sample: StoredSample;
  readonly look: number;
  readonly off: number;
}

async function storeOf(images: readonly Image[]): Promise<string> {
  const store = join(folder(), 'store');
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings: settingsWith({ dtype: 'float32' }), engine: ENGINE, widths: WIDTHS });
  const rows = images.map(({ sample }) => sample);
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    expectedRows: rows.length,
    shardBytes: 2 ** 20,
  });
  const features = DEFAULT_POOLINGS.map((pooling) => {
    const X = matrix(images.length, WIDTHS[pooling]);
    images.forEach(({ look, off }, i) => X.data.set(featuresLike(look, off, pooling), i * X.cols));
    return [pooling, X] as const;
  });
  await writer.append({ rows, features: new Map(features) });
  await writer.seal();
  const samples = [...rows].sort((a, b) => (a.path < b.path ? -1 : 1));
  await commitSamples({ store, manifest, set }, samples);
  return store;
}

const THRESHOLD = 0.75;
/** Cosine of maps from which images are copies where no pixels can be compared. */
const COPY = 0.9;
const pooledCosine = (a: Image, b: Image): number => cosineOf(a, b, 'avg');
function cosineOf(a: Image, b: Image, pooling: keyof typeof WIDTHS): number {
  return cosine(featuresLike(a.look, a.off, pooling), featuresLike(b.look, b.off, pooling));
}

const images = fc
  .array(
    fc.record({
      look: fc.integer({ min: 0, max: 5 }),
      // Distances that change the features clearly or not at all.
      off: fc.constantFrom(0, 0, 0.02, 0.3),
      again: fc.integer({ min: 0, max: 1 }),
      split: fc.constantFrom(...SPLITS),
      label: fc.constantFrom('ant', 'bee'),
    }),
    { minLength: 2, maxLength: 30 },
  )
  .map((list) =>
    list.map(({ look, off, again, split, label }, i): Image => {
      // Two files that are not equal may look equal (again), and equal files have one content.
      const sample = storedRow(`${String(i).padStart(2, '0')}.jpg`, {
        content: `${look} ${off} ${again}`,
        split,
        label,
      });
      return { sample, look, off };
    }),
  );

describe('copies that check finds', () => {
  it('leak where a comparison of every image with every other says so, each once', async () => {
    await fc.assert(
      fc.asyncProperty(images, async (list) => {
        const result = await check(await storeOf(list), { threshold: THRESHOLD });
        const byPath = new Map(list.map((image) => [image.sample.path, image]));
        const isCopy = (a: Image, b: Image): boolean =>
          a.sample.sha256 === b.sample.sha256 || (pooledCosine(a, b) >= 0.85 && cosineOf(a, b, 'flatten') >= COPY);
        const expected = list.filter(
          (image) =>
            image.sample.split !== 'train' &&
            list.some((other) => other.sample.split === 'train' && isCopy(image, other)),
        );
        expect(result.leaks.map(({ held }) => held).sort()).toEqual(expected.map(({ sample }) => sample.path).sort());
        expect(result.leakedImages).toBe(expected.length);
        for (const { train, held, split, kind, sameLabel } of result.leaks) {
          const [from, to] = [byPath.get(train)!, byPath.get(held)!];
          expect([from.sample.split, to.sample.split]).toEqual(['train', split]);
          expect(isCopy(from, to)).toBe(true);
          expect(sameLabel).toBe(from.sample.label === to.sample.label);
          const equal = list.filter(({ sample }) => sample.split === 'train' && sample.sha256 === to.sample.sha256);
          expect(kind).toBe(equal.length > 0 ? 'exact' : 'near');
          if (kind === 'exact') expect(sameLabel).toBe(equal.every(({ sample }) => sample.label === to.sample.label));
        }
        for (const { a, b } of result.near) expect(isCopy(byPath.get(a)!, byPath.get(b)!)).toBe(true);
        for (const { a, b, cosine } of result.alike) {
          expect(isCopy(byPath.get(a)!, byPath.get(b)!)).toBe(false);
          expect(cosine).toBeGreaterThanOrEqual(THRESHOLD);
        }
        // There are no files: features alone told.
        expect(result.unread).toBe(list.length);
      }),
      { numRuns: 40 },
    );
  });

  it('of 5,000 equal files and 5,000 that look equal are told in as many lines, not in their square', async () => {
    const list = Array.from({ length: 15_000 }, (_, i): Image => {
      const kind = i % 6 < 2 ? 'equal' : i % 6 < 4 ? 'alike' : 'own';
      const sample = storedRow(`${String(i).padStart(5, '0')}.jpg`, {
        split: i % 2 === 0 ? 'train' : 'val',
        label: i % 12 < 6 ? 'ant' : 'bee',
        ...(kind === 'equal' && { content: 'placeholder' }),
      });
      return { sample, look: kind === 'equal' ? 0 : kind === 'alike' ? 1 : i, off: 0 };
    });
    const store = await storeOf(list);
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const result = await check(store);
    expect(performance.now() - started).toBeLessThan(30_000);
    // Twice 12,500,000 pairs of objects would take 700 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
    expect(result.exact).toHaveLength(1);
    expect(result.exact[0]).toHaveLength(5000);
    expect(result.leakedImages).toBeGreaterThanOrEqual(5000);
    expect(result.leakedImages).toBeLessThanOrEqual(7500);
    expect(result.leaks).toHaveLength(result.leakedImages);
    const text = checkText(result);
    expect(text.length).toBeLessThan(20_000);
    expect(text).toContain('and 4992 more');
  });
});
