import { describe, expect, it } from 'vitest';
import { encodeOnnx } from '../../../src/core/onnx-model.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { leastCosine, loadCompared } from '../../../src/extract/engines/reference-check.ts';
import type { Output } from '../../../src/extract/program.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, quantizedConvNet, tokenNet } from '../../support/onnx-files.ts';
import { measured, patternPixels, programOf, rawContract, type Measured } from '../../support/onnx-runs.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';

const folder = temporaryFolders();
const contract = { ...rawContract(16), mean: [120, 110, 100], scale: [1 / 60, 1 / 50, 1 / 40] } as const;
const pixels = patternPixels(3, 16);

async function featuresBy(engine: 'onnxruntime' | 'openvino', network: Measured, outputs: readonly Output[]) {
  const made = await createEngine(engine, engine === 'openvino' ? { cache: false } : {});
  const executable = await made.load(programOf(network, outputs));
  try {
    return (await executable.run(pixels, 3)).map(({ data }) => data.slice());
  } finally {
    await executable.dispose();
  }
}

const all = (cut: string, ...poolings: readonly Output['pooling'][]): Output[] =>
  poolings.map((pooling) => ({ cut, pooling }));

describe.skipIf(!hasOpenVino)(needsOpenVino('OpenVINO gives of a graph what ONNX Runtime gives'), () => {
  it.each([
    ['maps in NCHW', encodeOnnx(convNet()), all('block1', 'flatten', 'avg', 'max', 'gem')],
    ['maps of an NHWC input', encodeOnnx(convNet({ layout: 'NHWC' })), all('pool', 'flatten', 'avg', 'max', 'gem')],
    ['vectors', encodeOnnx(convNet()), all('features', 'flatten', 'avg', 'max')],
    ['tokens', encodeOnnx(tokenNet()), all('last_hidden_state', 'flatten', 'avg', 'max', 'cls')],
    ['tokens without a class token', encodeOnnx(tokenNet(16, 0)), all('block0', 'flatten', 'avg', 'max')],
    ['opset 7', modelProto(convNet(), { ir: 3, opsets: { '': 7 } }), all('block1', 'flatten', 'avg', 'max', 'gem')],
    ['BGR', encodeOnnx(convNet()), all('stem', 'avg')],
  ] as const)('of %s', async (what, bytes, outputs) => {
    const own = what === 'BGR' ? { ...contract, channelOrder: 'BGR' as const } : contract;
    const network = await measured(folder(), bytes, { contract: own });
    const expected = await featuresBy('onnxruntime', network, outputs);
    const found = await featuresBy('openvino', network, outputs);
    found.forEach((features, i) => {
      const largest = Math.max(...expected[i]!.map(Math.abs));
      const worst = Math.max(...features.map((value, k) => Math.abs(value - expected[i]![k]!)));
      // Sums in float32 in another order.
      expect(worst / largest).toBeLessThan(1e-4);
    });
  });

  it('of a file that is in 8 bits already, within the bound of the check', async () => {
    const network = await measured(folder(), encodeOnnx(quantizedConvNet()), { contract });
    const program = programOf(network, [...all('block1', 'flatten'), ...all('features/8', 'avg')]);
    const engine = await createEngine('openvino', { cache: false });
    expect(leastCosine(engine, program)).toBe(0.98);
    const { executable, cosines } = await loadCompared(engine, program);
    await executable.dispose();
    // 1.0000 was measured.
    for (const cosine of cosines) expect(cosine).toBeGreaterThan(0.999);
  });
});
