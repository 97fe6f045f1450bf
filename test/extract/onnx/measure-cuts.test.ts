import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import { createSession, onnxRuntime } from '../../../src/core/onnxruntime.ts';
import { graphModel } from '../../../src/extract/onnx/graph-model.ts';
import { measureCuts, type ProbeRequest } from '../../../src/extract/onnx/probing/measure-cuts.ts';
import { readOnnxFile } from '../../../src/extract/onnx/read-onnx-file.ts';
import { sensibleCuts } from '../../../src/extract/onnx/sensible-cuts.ts';
import { convNet, modelProto, tokenNet } from '../../support/onnx-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'permafrost-onnx-'));
});
afterAll(() => rm(folder, { recursive: true }));

const contract = {
  name: 'test', size: 16, geometry: 'squash', kernel: 'bilinear', orientation: 'exif', iccProfile: 'ignore', alpha: 'white',
  channelOrder: 'RGB', mean: [120, 110, 100], scale: 1 / 60,
} as const satisfies Contract; // prettier-ignore

async function saved(name: string, bytes: Uint8Array) {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return readOnnxFile(path);
}

describe('scratch', () => {
  it.each([
    ['conv', modelProto(convNet())],
    ['conv1', modelProto(convNet({ batch: 1 }))],
    ['nhwc', modelProto(convNet({ layout: 'NHWC' }))],
    ['tokens', modelProto(tokenNet())],
    ['vit', modelProto(tokenNet(16, 1, { classes: 3 }))],
  ])('%s', async (name, bytes) => {
    const file = await saved(`${name}.onnx`, bytes);
    console.log(file.inputs, file.outputs, sensibleCuts(file));
    const probed = await measureCuts(file, { size: 16, contract });
    console.dir(probed, { depth: 5 });
  });
});
