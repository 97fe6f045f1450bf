import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cosine, row } from '../../../../src/core/matrix.ts';
import { createSession } from '../../../../src/core/onnxruntime.ts';
import type { OnnxGraph } from '../../../../src/core/onnx-model.ts';
import { calibrate, calibrationUpTo, quantizationOf } from '../../../../src/extract/calibrate.ts';
import { createEngine, type EngineName } from '../../../../src/extract/engines/index.ts';
import { graphModel } from '../../../../src/extract/onnx/graph-model.ts';
import { quantizationPlan } from '../../../../src/extract/onnx/int8/quantization-plan.ts';
import { quantizedFile } from '../../../../src/extract/onnx/int8/quantized-file.ts';
import type { GraphProgram, Output } from '../../../../src/extract/program.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { convNet, modelProto, weights } from '../../../support/onnx-files.ts';
import { measured, patternPixels, programOf, rawContract, savedOnnx } from '../../../support/onnx-runs.ts';
import { hasOpenVino } from '../../../support/openvino.ts';

const folder = temporaryFolders();
const SIZE = 16;
const contract = { ...rawContract(SIZE), mean: [120, 110, 100] as const, scale: 1 / 60 };
const pixels = patternPixels(8, SIZE);
const imageBytes = SIZE * SIZE * 3;
const images = Array.from({ length: 8 }, (_, i) => ({
  sha256: String(i).padStart(64, '0'),
  pixels: pixels.subarray(i * imageBytes, (i + 1) * imageBytes),
}));
const OUTPUTS: readonly Output[] = [
  { cut: 'logits', pooling: 'avg' },
  { cut: 'block1', pooling: 'flatten' },
  { cut: 'stem', pooling: 'max' },
];

const programFor = async (graph: OnnxGraph, outputs: readonly Output[]): Promise<GraphProgram> =>
  programOf(await measured(folder(), modelProto(graph), { contract, cuts: outputs.map(({ cut }) => cut) }), outputs);

async function featuresOf(program: GraphProgram, engine: EngineName, precision: 'fp32' | 'int8') {
  const executable = await (
    await createEngine(engine, { precision, ...(engine === 'openvino' && { cache: false }) })
  ).load(program);
  const found = await executable.run(pixels, images.length);
  await executable.dispose();
  return found;
}

/** The least cosine of an image's features, by output. */
async function agreement(program: GraphProgram, quantized: GraphProgram, engine: EngineName): Promise<number[]> {
  const [expected, found] = [
    await featuresOf(program, 'onnxruntime', 'fp32'),
    await featuresOf(quantized, engine, 'int8'),
  ];
  return found.map((features, o) => Math.min(...images.map((_, i) => cosine(row(features, i), row(expected[o]!, i)))));
}

describe('a graph in int8', () => {
  let program: GraphProgram;
  let quantized: GraphProgram;
  beforeAll(async () => {
    program = await programFor(convNet(), OUTPUTS);
    const calibration = await calibrate({ ...program, cut: 'logits' }, images);
    expect(Object.keys(calibration.ranges)).toEqual(['block1/conv', 'features', 'logits', 'stem']);
    expect(calibration.ranges['stem']!.min).toBe(0);
    expect(calibration.ranges['block1/conv']!.min).toBeLessThan(0);
    quantized = { ...program, quantization: quantizationOf(calibration) };
  });

  it.each<EngineName>(hasOpenVino ? ['onnxruntime', 'openvino'] : ['onnxruntime'])(
    'keeps the features of float32 on %s, and falls far off with ranges that are too small',
    async (engine) => {
      // 0.9991 and more were measured.
      for (const found of await agreement(program, quantized, engine)) expect(found).toBeGreaterThan(0.995);
      const ranges = new Map(
        [...quantized.quantization!.ranges].map(([name, { min, max }]) => [name, { min: min / 8, max: max / 8 }]),
      );
      const small = { ...quantized, quantization: { digest: 'small', ranges } };
      expect(Math.min(...(await agreement(program, small, engine)))).toBeLessThan(0.98);
    },
  );

  it('finds the mean of each channel in front of a convolution and of a product with biases', async () => {
    const { means = {} } = await calibrate({ ...program, cut: 'logits' }, images);
    expect(Object.keys(means)).toEqual(['features', 'stem']);
    const outputs = ['features', 'stem'].map((cut): Output => ({ cut, pooling: 'avg' }));
    const found = await featuresOf(await programFor(convNet(), outputs), 'onnxruntime', 'fp32');
    for (const [o, { cut }] of outputs.entries()) {
      const sums = images.map((_, i) => row(found[o]!, i));
      means[cut]!.forEach((mean, c) => {
        const expected = sums.reduce((sum, values) => sum + values[c]!, 0) / images.length;
        expect(Math.abs(mean - expected)).toBeLessThan(1e-3 * Math.abs(expected) + 1e-6);
      });
    }
  });

  it('takes out of the biases what rounding the weights adds, where the means are known alone', async () => {
    const { ranges, means } = quantized.quantization!;
    const cut = [{ cut: 'block1/conv', pooling: 'avg' }] as const;
    const deep = await programFor(convNet(), cut);
    const expected = await featuresOf(deep, 'onnxruntime', 'fp32');
    /** The mean error of each channel, over its images: what is the same for all. */
    const shift = async (found: ReadonlyMap<string, readonly number[]> | undefined): Promise<number> => {
      const quantization = { digest: String(found?.size), ranges, means: found };
      const [features] = await featuresOf({ ...deep, quantization }, 'onnxruntime', 'int8');
      const errors = Array.from({ length: 8 }, (_, c) =>
        images.reduce((sum, _image, i) => sum + row(features!, i)[c]! - row(expected[0]!, i)[c]!, 0),
      );
      return errors.reduce((sum, error) => sum + Math.abs(error), 0);
    };
    // 0.3 of it was left where this was measured: paddings, and the rounding of what goes in.
    expect(await shift(means)).toBeLessThan(0.6 * (await shift(undefined)));
    const names = (given: typeof means): string[] => [
      ...quantizedFile(deep.backbone.file, { digest: '', ranges, means: given }, ['block1/conv']).initializers.keys(),
    ];
    // This convolution has no bias of its own.
    expect(names(means).filter((name) => /block1\/conv.*bias/.test(name))).toHaveLength(3);
    expect(names(undefined).filter((name) => /block1\/conv.*bias/.test(name))).toEqual([]);
  });

  it('becomes integer operators in ONNX Runtime, all but the first convolution', async () => {
    const path = join(folder(), 'fused.onnx');
    const options = { executionProviders: ['cpu'], optimizedModelFilePath: path, logSeverityLevel: 3 as const };
    await (await createSession(graphModel({ ...quantized, outputs: [OUTPUTS[0]!] }), options)).release();
    const fused = readFileSync(path).toString('latin1');
    expect(fused).toContain('QLinearConv');
    expect(fused).toMatch(/QGemm|QLinearMatMul/);
    const floatOnes = ['Conv', 'FusedConv'].map(
      (op) => fused.split(`"${String.fromCharCode(op.length)}${op}`).length - 1,
    );
    expect(floatOnes[0]! + floatOnes[1]!).toBe(1);
  });

  it('gives a cut the same features, whatever runs beyond it', async () => {
    const calibration = await calibrate({ ...program, cut: 'logits' }, images);
    const own = quantizationOf(calibrationUpTo(calibration, program.backbone, 'block1'));
    expect([...own.ranges.keys()]).toEqual(['block1/conv', 'stem']);
    expect([...own.means!.keys()]).toEqual(['stem']);
    const alone = await featuresOf({ ...program, outputs: [OUTPUTS[1]!], quantization: own }, 'onnxruntime', 'int8');
    const together = await featuresOf(quantized, 'onnxruntime', 'int8');
    expect(alone[0]!.data).toEqual(together[1]!.data);
  });

  it('refuses a calibration of an earlier cut, naming what it lacks', () => {
    const ranges = new Map([...quantized.quantization!.ranges].filter(([name]) => name !== 'logits'));
    expect(() => graphModel({ ...quantized, quantization: { digest: 'short', ranges } })).toThrow(
      'The calibration has no range for logits',
    );
  });

  it('rounds once what a pool or a concatenation hands on', async () => {
    const graph: OnnxGraph = {
      name: 'fire',
      nodes: [
        { op: 'Conv', inputs: ['image', 'a'], outputs: ['first'], attributes: { pads: [1, 1, 1, 1] } },
        { op: 'Conv', inputs: ['first', 'b'], outputs: ['left/linear'] },
        { op: 'Relu', inputs: ['left/linear'], outputs: ['left'] },
        { op: 'Conv', inputs: ['first', 'c'], outputs: ['right'] },
        { op: 'Concat', inputs: ['left', 'right'], outputs: ['both'], attributes: { axis: 1 } },
        { op: 'MaxPool', inputs: ['both'], outputs: ['pool'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { op: 'Conv', inputs: ['pool', 'd'], outputs: ['last'] },
      ],
      initializers: [
        weights('a', [4, 3, 3, 3], 1, 27),
        weights('b', [4, 4, 1, 1], 2),
        weights('c', [4, 4, 1, 1], 3),
        weights('d', [6, 8, 1, 1], 4),
      ],
      inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, SIZE, SIZE] }],
      outputs: [{ name: 'last', type: 'float32', shape: ['batch', 6, 8, 8] }],
    };
    const fire = await programFor(graph, [{ cut: 'last', pooling: 'flatten' }]);
    const { steps } = quantizationPlan(fire.backbone.file);
    for (const tensor of ['left', 'right', 'both', 'pool']) expect(steps.get(tensor)).toBe('pool');
    const calibration = await calibrate({ ...fire, cut: 'last' }, images);
    // The range of both sides reaches below zero: the ReLU of one of them must stay.
    expect(calibration.ranges['pool']!.min).toBeLessThan(0);
    const [found] = await agreement(fire, { ...fire, quantization: quantizationOf(calibration) }, 'onnxruntime');
    expect(found).toBeGreaterThan(0.999);
  });

  it.each<[string, OnnxGraph, Parameters<typeof modelProto>[1], RegExp]>([
    ['an old opset', convNet(), { opsets: { '': 12 } }, /of opset 12.*Export it with opset 17/],
    [
      'a file that is quantized already',
      {
        ...convNet(),
        nodes: [
          ...convNet().nodes,
          { op: 'QuantizeLinear', inputs: ['logits', 'step'], outputs: ['q'] },
          { op: 'DequantizeLinear', inputs: ['q', 'step'], outputs: ['again'] },
        ],
        initializers: [...convNet().initializers, { name: 'step', shape: [], data: Float32Array.of(1) }],
      },
      {},
      /quantized already.*Take --precision fp32/,
    ],
    [
      'one with nothing to quantize',
      {
        ...convNet(),
        nodes: convNet().nodes.slice(0, 2),
        outputs: [{ name: 'stem', type: 'float32', shape: ['batch', 8, 8, 8] }],
      },
      {},
      /no Conv, Gemm or MatMul.*behind its first one/,
    ],
  ])('refuses %s', async (_what, graph, choices, reason) => {
    const file = await savedOnnx(folder(), modelProto(graph, choices));
    expect(() => quantizationPlan(file)).toThrow(reason);
  });
});
