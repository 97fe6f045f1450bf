import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTRACTS } from '../../src/extract/contract.ts';
import { uprightPixels } from '../../src/extract/onnx/image-front/upright.ts';
import type { PredictResult } from '../../src/results/answer-results.ts';
import type { ExportOnnxResult } from '../../src/results/export-result.ts';
import { document, permafrost } from '../support/command.ts';
import { emojiDataset } from '../support/emoji-dataset.ts';
import { temporaryFolders } from '../support/folders.ts';
import { hasShared, needsShared, sharedPath } from '../support/shared.ts';

const folder = temporaryFolders();
/** On a busy machine these take minutes, and nothing of them is about time. */
const TIMEOUT_MS = 600_000;
const python = process.env.PERMAFROST_PYTHON ?? 'python3';

/** Runs a file from Python on pixels that lie in a file; prints the probabilities and the class as JSON. */
const SCRIPT = `
import json, sys
import numpy as np, onnxruntime
file, pixels, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
image = np.fromfile(pixels, np.uint8).reshape(1, height, width, 3)
probabilities, index = session.run(["probabilities", "class"], {"image": image})
names = json.loads(session.get_modelmeta().custom_metadata_map["names"])
print(json.dumps({"probabilities": probabilities[0].tolist(), "label": names[str(index[0])]}))
`;

function pythonMissing(): string | undefined {
  try {
    execFileSync(python, ['-c', 'import numpy, onnxruntime'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${python} with numpy and onnxruntime is missing; name one in PERMAFROST_PYTHON`;
  }
}

/** Extracts with the fast network, trains a head and exports it. */
async function exported(dataset: string): Promise<{ readonly head: string; readonly result: ExportOnnxResult }> {
  const store = join(folder(), 'store');
  const network = ['--backbone', 'efficientnet-lite0', '--engine', 'onnxruntime'];
  expect(await permafrost(['extract', dataset, ...network, '--store', store, '--quiet'])).toMatchObject({ code: 0 });
  const head = join(folder(), 'head.safetensors');
  expect(await permafrost(['train', store, '--out', head, '--quiet'])).toMatchObject({ code: 0 });
  const done = await permafrost(['export', head, '--onnx', join(folder(), 'head.onnx'), '--json', '--quiet']);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  return { head, result: document<ExportOnnxResult & object>(done) };
}

function expectTheSame({ check }: ExportOnnxResult, images: number): void {
  expect(check!.failed).toEqual([]);
  for (const runtime of check!.runtimes) {
    expect(runtime).toMatchObject({ images, sameClass: images });
    expect(runtime.largestDifference).toBeLessThan(1e-3);
  }
}

describe('permafrost export', { timeout: TIMEOUT_MS }, () => {
  it('names the targets where none is given, and refuses two kinds and flags of another', async () => {
    const none = await permafrost(['export', 'head.safetensors']);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/no target is named.*--onnx, --web, --parquet, --csv, --npz/s);
    const two = await permafrost(['export', 'head.safetensors', '--onnx', 'a.onnx', '--csv', 'a.csv']);
    expect(two.code).toBe(2);
    expect(two.stderr).toMatch(/--onnx and --csv are different kinds of target/);
    const both = await permafrost(['export', 'head.safetensors', '--onnx', 'a.onnx', '--int8', '--fp16']);
    expect(both.stderr).toMatch(/--int8 and --fp16 are two precisions/);
    const nowhere = await permafrost(['export', 'head.safetensors', '--onnx', join(folder(), 'no', 'a.onnx')]);
    expect(nowhere.stderr).toMatch(/the folder .* does not exist.*\[STORE_WRITE\]/s);
  });

  it('writes a file of the carried pictures that answers as predict does, also from Python', async ({ skip }) => {
    const dataset = await emojiDataset(join(folder(), 'emoji'), ['bird', 'food', 'vehicle'], 8);
    const { head, result } = await exported(dataset);
    expectTheSame(result, 24);
    const missing = pythonMissing();
    if (missing !== undefined) skip(missing);
    const birds = join(dataset, 'val', 'bird');
    const image = join(birds, readdirSync(birds).sort()[0]!);
    const answer = document<PredictResult & object>(await permafrost(['predict', head, image, '-k', '0', '--json']));
    const { data, width, height } = await uprightPixels(readFileSync(image), CONTRACTS.vgg16);
    const pixels = join(folder(), 'pixels');
    writeFileSync(pixels, data);
    const printed = execFileSync(python, ['-c', SCRIPT, result.file, pixels, String(height), String(width)]);
    const found = JSON.parse(printed.toString()) as { readonly probabilities: number[]; readonly label: string };
    const [expected] = answer.predictions;
    expect(found.label).toBe(expected!.guess);
    Object.values(expected!.probabilities).forEach((p, c) => expect(found.probabilities[c]).toBeCloseTo(p, 4));
  });

  it.skipIf(!hasShared('datasets/hymenoptera'))(
    needsShared(
      'datasets/hymenoptera',
      'writes a file that answers all 153 validated photographs of ants and bees alike',
    ),
    async () => {
      const { result } = await exported(sharedPath('datasets/hymenoptera'));
      expectTheSame(result, 153);
    },
  );
});
