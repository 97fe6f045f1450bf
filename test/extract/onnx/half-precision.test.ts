import { describe, expect, it } from 'vitest';
import { cosine, row } from '../../../src/core/matrix.ts';
import { encodeOnnx, type OnnxGraph } from '../../../src/core/onnx-model.ts';
import { createOnnxRuntimeEngine } from '../../../src/extract/engines/onnxruntime.ts';
import { quantizationPlan } from '../../../src/extract/onnx/int8/quantization-plan.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, halfTensor, modelProto } from '../../support/onnx-files.ts';
import { measured, patternPixels, programOf, rawContract } from '../../support/onnx-runs.ts';

const folder = temporaryFolders();
const contract = { ...rawContract(16), mean: [120, 110, 100], scale: 1 / 60 } as const;
const pixels = patternPixels(3, 16);

/** The network with weights of 9 binary digits, which half precision has exactly. */
const rounded: OnnxGraph = {
  ...convNet(),
  initializers: convNet().initializers.map((one) => ({
    ...one,
    data: (one.data as Float32Array).map((value) => Math.round(value * 256) / 256),
  })),
};
const halves = rounded.initializers.map((one) => halfTensor({ ...one, name: `${one.name}/half` }));

/** Weights in half precision, each cast where it is read. */
const withHalfWeights = (): Uint8Array =>
  modelProto(
    {
      ...rounded,
      nodes: [
        ...rounded.initializers.map(({ name }) => ({
          op: 'Cast',
          inputs: [`${name}/half`],
          outputs: [name],
          attributes: { to: 1 },
        })),
        ...rounded.nodes,
      ],
      initializers: [],
    },
    { graphFields: halves },
  );

/** Input, weights and all between in half precision. */
const wholeInHalf = (): Uint8Array =>
  modelProto(
    {
      ...rounded,
      initializers: [],
      inputs: [{ name: 'image', type: 'float16', shape: ['batch', 3, 16, 16] }],
      outputs: [{ name: 'logits', type: 'float16', shape: ['batch', 5] }],
    },
    { graphFields: rounded.initializers.map(halfTensor) },
  );

async function featuresOf(bytes: Uint8Array) {
  const network = await measured(folder(), bytes, { contract });
  const outputs = [
    { cut: 'features', pooling: 'avg' },
    { cut: 'block1', pooling: 'flatten' },
  ] as const;
  const executable = await (await createOnnxRuntimeEngine()).load(programOf(network, outputs));
  try {
    return { network, features: await executable.run(pixels, 3) };
  } finally {
    await executable.dispose();
  }
}

describe('a network in half precision', () => {
  it('gives with weights that are cast what it gives with the same weights in float32', async () => {
    const { features: expected } = await featuresOf(encodeOnnx(rounded));
    const { features } = await featuresOf(withHalfWeights());
    for (const [o, { data }] of features.entries()) expect(data).toEqual(expected[o]!.data);
  });

  it('runs whole, from a float16 input on, and agrees to the digits that it has', async () => {
    const { features: expected } = await featuresOf(encodeOnnx(rounded));
    const { network, features } = await featuresOf(wholeInHalf());
    expect(network.probed.input.dtype).toBe('float16');
    for (const [o, found] of features.entries()) {
      for (let i = 0; i < 3; i++) expect(cosine(row(found, i), row(expected[o]!, i))).toBeGreaterThan(0.9999);
    }
  });

  it('is not made int8 of, and says why', async () => {
    const { network } = await featuresOf(withHalfWeights());
    expect(() => quantizationPlan(network.file)).toThrow(/constant float32 weights.*Take --precision fp32/);
  });
});
