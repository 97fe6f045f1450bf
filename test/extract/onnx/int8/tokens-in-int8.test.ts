import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cosine, row } from '../../../../src/core/matrix.ts';
import { encodeOnnx, type OnnxGraph, type OnnxTensor } from '../../../../src/core/onnx-model.ts';
import { calibrate, quantizationOf } from '../../../../src/extract/calibrate.ts';
import { createEngine, type EngineName } from '../../../../src/extract/engines/index.ts';
import { quantizedFile } from '../../../../src/extract/onnx/int8/quantized-file.ts';
import { permafrost } from '../../../support/command.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { tokenNet } from '../../../support/onnx-files.ts';
import { measured, patternPixels, programOf, rawContract } from '../../../support/onnx-runs.ts';
import { hasOpenVino } from '../../../support/openvino.ts';
import { stripedDataset } from '../../../support/small-dataset.ts';

const folder = temporaryFolders();
const contract = { ...rawContract(16), mean: [120, 110, 100], scale: 1 / 60 } as const;
const pixels = patternPixels(8, 16);
const images = Array.from({ length: 8 }, (_, i) => ({
  sha256: String(i).padStart(64, '0'),
  pixels: pixels.subarray(i * 768, (i + 1) * 768),
}));

/**
 * The same network with one channel that is 300 times as large as the others in front of a product, whose weights make
 * up for it: what trained transformers have, and what 8 bits for all channels together cannot hold.
 */
function withOutliers(): OnnxGraph {
  const graph = tokenNet();
  const gains = Float32Array.from({ length: 12 }, (_, channel) => (channel === 3 ? 300 : 1));
  const names = ['block0/dense', 'block1/dense'];
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => {
      const name = names.find((one) => node.outputs[0] === `${one}/linear`);
      if (name === undefined) return [node];
      return [
        { op: 'Mul', inputs: [node.inputs[0]!, 'gains'], outputs: [`${name}/spiked`] },
        { ...node, inputs: [`${name}/spiked`, `${name}/w`] },
      ];
    }),
    initializers: [
      { name: 'gains', shape: [12], data: gains },
      ...graph.initializers.map((one): OnnxTensor => {
        if (!names.some((name) => one.name === `${name}/w`)) return one;
        const data = (one.data as Float32Array).map((value, i) => value / gains[Math.floor(i / 12)]!);
        return { ...one, data };
      }),
    ],
  };
}

async function tokensInInt8(graph: OnnxGraph) {
  const network = await measured(folder(), encodeOnnx(graph), { contract });
  const program = programOf(network, [{ cut: 'last_hidden_state', pooling: 'cls' }]);
  const calibration = await calibrate({ ...program, cut: 'last_hidden_state' }, images);
  return { program: { ...program, quantization: quantizationOf(calibration) }, calibration };
}

/** The least cosine of an image's class token to that of float32. */
async function leastCosine({ program }: Awaited<ReturnType<typeof tokensInInt8>>, name: EngineName): Promise<number> {
  const featuresBy = async (engine: EngineName, precision: 'fp32' | 'int8') => {
    const made = await createEngine(engine, { precision, ...(engine === 'openvino' && { cache: false }) });
    const executable = await made.load(program);
    return (await executable.run(pixels, 8).finally(() => executable.dispose()))[0]!;
  };
  const [expected, found] = [await featuresBy('onnxruntime', 'fp32'), await featuresBy(name, 'int8')];
  return Math.min(...images.map((_, i) => cosine(row(found, i), row(expected, i))));
}

const engines: readonly EngineName[] = hasOpenVino ? ['onnxruntime', 'openvino'] : ['onnxruntime'];

describe('a network of tokens in int8', () => {
  it.each(engines)('keeps its class token on %s', async (engine) => {
    // 0.99987 was measured on both.
    expect(await leastCosine(await tokensInInt8(tokenNet()), engine)).toBeGreaterThan(0.9995);
  });

  it('has a scale for each column of the matrices that it multiplies with', async () => {
    const { program, calibration } = await tokensInInt8(tokenNet());
    expect(calibration.method).toBe('min-max, biases corrected');
    const { initializers } = quantizedFile(program.backbone.file, program.quantization, ['last_hidden_state']);
    const scales = [...initializers].filter(([name]) => name.endsWith('/weight/scales'));
    // Six of each block; the first one, of patches of pixels, stays in float32.
    expect(scales.map(([, { dims }]) => dims)).toEqual(Array.from({ length: 12 }, () => [12]));
  });

  it('loses what channels of very different size share, which the gate refuses with the cosine', async () => {
    const graph = withOutliers();
    // 0.80 was measured.
    expect(await leastCosine(await tokensInInt8(graph), 'onnxruntime')).toBeLessThan(0.98);
    const root = folder();
    const model = join(root, 'outliers.onnx');
    writeFileSync(model, encodeOnnx(graph));
    await stripedDataset(join(root, 'images'), 4, 2);
    const { code, stderr } = await permafrost(
      // prettier-ignore
      ['extract', join(root, 'images'), '--store', join(root, 'store'), '--backbone', model, '--contract', 'imagenet',
        '--cut', 'last_hidden_state:cls', '--engine', 'onnxruntime', '--precision', 'int8'],
      { env: { PERMAFROST_CACHE: join(root, 'cache') } },
    );
    expect(stderr).toMatch(
      /int8 loses too much here: cosine to fp32, on 4 images .* least of these 0\.\d{4}, .*expected 0\.98 or more.*\[PRECISION_LOSS\]/,
    );
    expect(code).toBe(1);
  });
});
