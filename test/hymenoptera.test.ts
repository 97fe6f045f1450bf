import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extract, train } from '../src/index.ts';
import { openHead } from '../src/workflows/train/files/head-files.ts';
import { probabilities } from '../src/workflows/train/trained-head.ts';
import { goldenFloats, goldenTensors, relativeError } from './support/golden.ts';
import { hasShared, needsShared, sharedPath } from './support/shared.ts';
import { matricesOf } from './support/stores.ts';
import { openStore } from '../src/store/open.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-hymenoptera-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Golden {
  readonly paths: readonly string[];
}

// The whole way of a user: 398 JPEG files, the bundled weights, the store, the heads; against Keras, Pillow and
// scikit-learn.
describe.skipIf(!hasShared('golden') || !hasShared('datasets/hymenoptera'))(
  needsShared('datasets/hymenoptera', 'hymenoptera under the contract keras, average-pooled'),
  () => {
    const store = join(folder, 'store');
    let loaded: Awaited<ReturnType<typeof matricesOf>>;
    const golden = (): { paths: readonly string[]; tensors: ReturnType<typeof goldenTensors> } => ({
      paths: (JSON.parse(readFileSync(sharedPath('golden/golden.json'), 'utf8')) as Golden).paths,
      tensors: goldenTensors('hymenoptera.safetensors'),
    });

    beforeAll(async () => {
      const result = await extract(sharedPath('datasets/hymenoptera'), {
        store,
        contract: 'keras',
        dtype: 'float32',
        precision: 'fp32',
      });
      expect(result).toMatchObject({ extracted: 398, failed: [] });
      loaded = await matricesOf(await openStore(store), 'avg', ['train', 'val']);
    }, 600_000);

    it('gives the features of Keras for every photograph', () => {
      const { paths, tensors } = golden();
      const samples = [...loaded.get('train')!.samples, ...loaded.get('val')!.samples];
      expect(samples.map(({ path }) => path)).toEqual(paths);
      const found = [...loaded.values()].flatMap(({ X }) => [...X.data]);
      // The order of float32 sums differs between the runtimes: 1e-5 relative was measured.
      expect(relativeError(found, goldenFloats(tensors, 'gap'))).toBeLessThan(1e-4);
    });

    it.each([
      ['logistic', { C: 10 }, 0.934640522875817],
      ['logistic', { C: 1 }, 0.9215686274509803],
      ['knn', { nNeighbors: 5 }, 0.9281045751633987],
    ] as const)('%s %j reaches the accuracy of scikit-learn within one image', async (head, options, accuracy) => {
      const result = await train(store, { head, normalize: 'l2' }, options);
      // 1 of 153 images: one probability next to 0.5 may fall to either side.
      expect(Math.abs(result.accuracy - accuracy)).toBeLessThanOrEqual(1.001 / 153);
    });

    it('gives the probabilities of scikit-learn', async () => {
      const { file } = await train(store, { head: 'logistic', normalize: 'l2' }, { C: 10, tol: 1e-8, maxIter: 1000 });
      const P = await probabilities(await openHead(file!), loaded.get('val')!.X);
      const expected = golden().tensors.get('logistic/C=10/proba')!.data as Float64Array;
      const worst = P.data.reduce((most, p, i) => Math.max(most, Math.abs(p - expected[i]!)), 0);
      expect(worst).toBeLessThan(1e-3);
    });
  },
);
