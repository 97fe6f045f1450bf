import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../../src/core/contract.ts';
import { createSession, onnxRuntime, type OnnxSession } from '../../src/core/onnxruntime.ts';
import type { OnnxFile } from '../../src/extract/backbones/onnx-file.ts';
import { graphModel, type GraphModelOptions } from '../../src/extract/onnx/graph-model.ts';
import { measureCuts, type Probed, type ProbeRequest } from '../../src/extract/onnx/probing/measure-cuts.ts';
import { readOnnxFile } from '../../src/extract/onnx/read-onnx.ts';
import { outputName, PIXELS, type GraphProgram, type Output } from '../../src/extract/program.ts';

/** Writes a model and reads it. */
export function savedOnnx(folder: string, bytes: Uint8Array, name = 'model.onnx'): Promise<OnnxFile> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return readOnnxFile(path);
}

/** A contract of this size; (pixel - 0) * 1, RGB. */
export const rawContract = (size: number): Contract => ({
  name: 'raw',
  size,
  geometry: 'squash',
  kernel: 'bilinear',
  orientation: 'exif',
  iccProfile: 'ignore',
  alpha: 'white',
  channelOrder: 'RGB',
  mean: [0, 0, 0],
  scale: 1,
});

/** Pixels that differ everywhere, the same on every machine. */
export function patternPixels(count: number, size: number): Uint8Array {
  return Uint8Array.from({ length: count * size * size * 3 }, (_, i) => (i * 37 + Math.floor(i / 7) * 11) % 256);
}

type Values = Float32Array | Uint8Array | Uint16Array;
export interface RunResult {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** One run of a model on ONNX Runtime. */
export async function runOnnx(
  model: Uint8Array,
  inputs: Readonly<
    Record<string, { readonly type: 'float32' | 'uint8'; readonly dims: readonly number[]; readonly data: Values }>
  >,
): Promise<ReadonlyMap<string, RunResult>> {
  const { Tensor } = await onnxRuntime();
  const session: OnnxSession = await createSession(model, { executionProviders: ['cpu'], logSeverityLevel: 4 });
  try {
    const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => [
      name,
      new Tensor(type, data as Float32Array, dims),
    ]);
    const results = await session.run(Object.fromEntries(feeds) as Parameters<OnnxSession['run']>[0]);
    return new Map(
      Object.entries(results).map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }]),
    );
  } finally {
    await session.release();
  }
}

export interface Measured {
  readonly file: OnnxFile;
  readonly probed: Probed;
  readonly contract: Contract;
}

/** Reads a model and measures it. */
export async function measured(folder: string, bytes: Uint8Array, request: ProbeRequest): Promise<Measured> {
  const file = await savedOnnx(folder, bytes);
  return { file, probed: await measureCuts(file, request), contract: request.contract };
}

export const programOf = ({ file, probed, contract }: Measured, outputs: readonly Output[]): GraphProgram => ({
  backbone: { name: 'test', file, ...probed },
  contract,
  outputs,
});

/** Features of some images by a graph's program, by the name of the output. */
export async function featuresOf(
  network: Measured,
  outputs: readonly Output[],
  pixels: Uint8Array,
  options?: GraphModelOptions,
): Promise<ReadonlyMap<string, RunResult>> {
  const { size } = network.contract;
  const count = pixels.length / (size * size * 3);
  const model = graphModel(programOf(network, outputs), options);
  const found = await runOnnx(model, { [PIXELS]: { type: 'uint8', dims: [count, size, size, 3], data: pixels } });
  for (const output of outputs) if (!found.has(outputName(output))) throw new Error(`no output ${outputName(output)}`);
  return found;
}
