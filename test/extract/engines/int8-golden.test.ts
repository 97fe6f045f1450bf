import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createHead } from '../../../src/classify/heads/index.ts';
import { topClass } from '../../../src/classify/evaluate/metrics.ts';
import { cosine, matrix, row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { calibrate, quantizationOf } from '../../../src/extract/calibrate.ts';
import { decodedImages } from '../../../src/extract/image/decoded-images.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { loadWeights } from '../../../src/extract/weights/load-weights.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { goldenFloats, goldenTensors } from '../../support/golden.ts';
import { hasShared, needsShared, sharedPath } from '../../support/shared.ts';
import type { LayerProgram } from '../../../src/extract/program.ts';

const CALIBRATED = 12;
const MEASURED = 24;

// The real weights and photographs: features of Keras, an image a row, against ours in int8.
describe.skipIf(!hasShared('golden') || !hasShared('datasets/hymenoptera'))(
  needsShared('datasets/hymenoptera', 'VGG16 in int8 on photographs'),
  () => {
    const root = sharedPath('datasets/hymenoptera');
    let program: LayerProgram;
    let golden: Matrix;
    let paths: readonly string[];
    let measured: readonly number[];
    let found: Matrix;

    const picked = (split: string, count: number): number[] =>
      random(7)
        .shuffle(paths.flatMap((path, i) => (path.toLowerCase().startsWith(split) ? [i] : [])))
        .slice(0, count);
    const decoded = (rows: readonly number[]) =>
      decodedImages({
        root,
        samples: rows.map((i) => ({ path: paths[i]!, label: '', split: 'train' as const })),
        contract: kerasCaffe,
        count: rows.length,
      });

    async function features(given: LayerProgram, rows: readonly number[]): Promise<Matrix> {
      const engine = await createEngine('onnxruntime', { precision: 'int8' });
      const loaded = await engine.load(given);
      const out = matrix(rows.length, 512);
      for (const [i, { pixels }] of (await decoded(rows)).entries()) {
        const [m] = await loaded.run(pixels, 1);
        out.data.set(m!.data, i * 512);
      }
      await loaded.dispose();
      return out;
    }
    const cosines = (rows: readonly number[], m: Matrix): number[] =>
      rows.map((at, i) => cosine(row(m, i), row(golden, at)));

    beforeAll(async () => {
      ({ paths } = JSON.parse(readFileSync(sharedPath('golden/golden.json'), 'utf8')) as {
        paths: readonly string[];
      });
      const gap = goldenFloats(goldenTensors('hymenoptera.safetensors'), 'gap');
      golden = matrix(paths.length, 512, gap.slice());
      const target = {
        backbone: vgg16,
        weights: await loadWeights({ backbone: vgg16 }),
        contract: kerasCaffe,
      };
      const images = await decoded(picked('train', CALIBRATED));
      const calibration = await calibrate({ ...target, cut: 'block5_pool' }, images);
      program = {
        ...target,
        outputs: [{ cut: 'block5_pool', pooling: 'avg' }],
        quantization: quantizationOf(calibration),
      };
      measured = picked('val', MEASURED);
      found = await features(program, measured);
    }, 300_000);

    it('stays within a cosine of 0.98 of the features of Keras in float32, on images it was not calibrated on', () => {
      // 0.9989 was the least of 96 photographs, on 64 calibrated ones.
      expect(Math.min(...cosines(measured, found))).toBeGreaterThanOrEqual(0.98);
    });

    it('falls far below that when red and blue are swapped, so the comparison can fail', async () => {
      const swapped = { ...program, contract: { ...kerasCaffe, channelOrder: 'RGB' as const } };
      const rows = measured.slice(0, 4);
      expect(Math.max(...cosines(rows, await features(swapped, rows)))).toBeLessThan(0.98);
    });

    it('leads a head trained on the float32 features to the same classes, one image in 24 excepted', async () => {
      const rows = paths.flatMap((path, i) => (path.toLowerCase().startsWith('train') ? [i] : []));
      const labels = rows.map((i) => paths[i]!.split('/')[1]!);
      const head = await createHead('logistic', { C: 0.01 }).fit(matrixRows(selectRows(golden, rows)), labels);
      const expected = topClass(await head.predictProba(selectRows(golden, measured)));
      const classes = topClass(await head.predictProba(found));
      const differing = measured.filter((_, i) => classes[i] !== expected[i]);
      expect(differing.length).toBeLessThanOrEqual(1);
      // Both classes are among the answers: a head that always says the same would agree with anything.
      expect(new Set(expected).size).toBe(2);
    });
  },
);
