import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchResult, BenchVariant } from '../../src/results/engine-results.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { hasOpenVino, needsOpenVino } from '../support/openvino.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const newFolder = temporaryFolders();
const QUICK = ['--cut', 'block2_pool', '--rounds', '1', '--seconds', '1', '--images', '3'];

const variant = (result: BenchResult, engine: string, precision: string): BenchVariant =>
  result.variants.find((one) => one.engine === engine && one.precision === precision)!;

describe('bench', () => {
  it('measures onnxruntime on some images of a data set, and says why the others are not measured', async () => {
    const dataset = await stripedDataset(newFolder(), 3, 1);
    const env = { OPENVINO_LIB_DIR: newFolder() };
    const result = document<BenchResult>(await permafrost(['bench', dataset, '--json', ...QUICK], { env }));
    expect(result).toMatchObject({
      source: dataset,
      failed: [],
      reference: 'onnxruntime/cpu/fp32',
      rounds: 1,
    });
    expect(new Set(result.images).size).toBe(3);
    const { measured, problem } = variant(result, 'onnxruntime', 'fp32');
    expect(problem).toBeNull();
    expect(measured).toMatchObject({ cosineLeast: expect.closeTo(1, 9) as number });
    expect(measured!.imagesPerSecond).toBeGreaterThan(0);
    expect(measured!.cpuMsPerImage).toBeGreaterThan(0);
    // Node, ONNX Runtime and the weights alone are more.
    expect(measured!.peakMiB).toBeGreaterThan(100);
    expect(variant(result, 'openvino', 'fp32')).toMatchObject({
      measured: null,
      problem: expect.stringContaining('OPENVINO_LIB_DIR') as string,
    });
    expect(variant(result, 'openvino', 'int8').problem).toContain('calibration');
  });

  it('takes image files, tells those that are none, and measures the others', async () => {
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const broken = join(newFolder(), 'broken.jpg');
    writeFileSync(broken, 'no picture');
    const files = [broken, join(dataset, 'Train', 'down', '0.png'), join(dataset, 'Val', 'down', '0.png')];
    const env = { OPENVINO_LIB_DIR: newFolder() };
    const { code, stdout } = await permafrost(['bench', ...files, ...QUICK], { env });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^2 images of the images given, contract vgg16, block2_pool/);
    expect(stdout).toMatch(/^onnxruntime [\d.]+ +cpu +fp32 +[\d.]+ +\d+ +\d+ MiB +1\.000000/m);
    expect(stdout).toMatch(/broken\.jpg".*IMAGE_UNDECODABLE/);
  });

  it('says what is wrong with a path that is not there, or with no picture at all', async () => {
    const missing = await permafrost(['bench', join(newFolder(), 'nothing')]);
    expect({ code: missing.code, stderr: missing.stderr }).toMatchObject({ code: 1 });
    expect(missing.stderr).toMatch(/nothing cannot be read: ENOENT.*\[DATASET_NOT_FOUND\]/s);
    const broken = join(newFolder(), 'broken.jpg');
    writeFileSync(broken, 'no picture');
    expect((await permafrost(['bench', broken])).stderr).toMatch(/None of 1 images.*\[IMAGE_UNDECODABLE\]/s);
  });
});

describe.skipIf(!hasOpenVino)(needsOpenVino('bench with OpenVINO'), () => {
  it('finds the same features in fp32 and nearly the same in bf16', async () => {
    const dataset = await stripedDataset(newFolder(), 3, 1);
    const result = document<BenchResult>(await permafrost(['bench', dataset, '--json', ...QUICK]));
    expect(variant(result, 'openvino', 'fp32').measured!.cosineLeast).toBeGreaterThan(0.9999999);
    const bf16 = variant(result, 'openvino', 'bf16');
    // Where the processor has no AVX-512, OpenVINO would compute in fp32 under another name, which is refused.
    if (bf16.measured === null) expect(bf16.problem).toContain('bf16');
    else {
      expect(bf16.measured.cosineLeast).toBeGreaterThan(0.9998);
      expect(bf16.measured.cosineLeast).toBeLessThan(0.9999999);
    }
  });
});
