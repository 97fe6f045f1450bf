import { describe, expect, it } from 'vitest';
import { createEngine, type EngineName } from '../../../src/extract/engines/index.ts';
import type { GraphProgram } from '../../../src/extract/program.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, tokenNet } from '../../support/onnx-files.ts';
import { measured, patternPixels, programOf, rawContract } from '../../support/onnx-runs.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';

const folder = temporaryFolders();
const SIZE = 16;
const COUNT = 3;
const contract = { ...rawContract(SIZE), mean: [120, 110, 100] as const, scale: 1 / 60 };
const pixels = patternPixels(COUNT, SIZE);

async function features(program: GraphProgram, name: EngineName, options = {}) {
  const executable = await (await createEngine(name, options)).load(program);
  try {
    return await executable.run(pixels, COUNT);
  } finally {
    await executable.dispose();
  }
}

const maps = async (choices: Parameters<typeof convNet>[0] = {}): Promise<GraphProgram> =>
  programOf(
    await measured(folder(), modelProto(convNet(choices)), { contract, cuts: ['block1', 'logits'] }),
    [
      { cut: 'block1', pooling: 'flatten' },
      { cut: 'block1', pooling: 'max' },
      { cut: 'logits', pooling: 'avg' },
    ],
  );

/** The largest difference of an output, over its largest value. */
function worst(found: Awaited<ReturnType<typeof features>>, expected: typeof found): number {
  return Math.max(
    ...found.map(({ data }, o) => {
      const other = expected[o]!.data;
      const largest = other.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      return data.reduce((max, value, i) => Math.max(max, Math.abs(value - other[i]!)), 0) / largest;
    }),
  );
}

describe.skipIf(!hasOpenVino)(needsOpenVino('graphs on OpenVINO'), () => {
  it.each([
    ['maps', {}],
    ['maps in NHWC', { layout: 'NHWC' as const }],
    ['one image at a time', { batch: 1 }],
  ])('are what ONNX Runtime computes: %s', async (_what, choices) => {
    const program = await maps(choices);
    const expected = await features(program, 'onnxruntime');
    expect(expected.map(({ rows, cols }) => [rows, cols])).toEqual([
      [COUNT, 512],
      [COUNT, 8],
      [COUNT, 5],
    ]);
    expect(worst(await features(program, 'openvino', { cache: false }), expected)).toBeLessThan(1e-5);
  });

  it('are what ONNX Runtime computes of tokens', async () => {
    const cut = 'tokens';
    const probed = await measured(folder(), modelProto(tokenNet()), { contract });
    const tokens = [...probed.probed.cuts].find(([, { axes }]) => axes === 'tokens')?.[0] ?? cut;
    const program = programOf(probed, [
      { cut: tokens, pooling: 'cls' },
      { cut: tokens, pooling: 'avg' },
    ]);
    const expected = await features(program, 'onnxruntime');
    expect(worst(await features(program, 'openvino', { cache: false }), expected)).toBeLessThan(1e-4);
  });

  it('are told apart in the cache of compiled networks by their bytes', async () => {
    const before = process.env['PERMAFROST_CACHE'];
    const { locateOpenVino } = await import('../../../src/extract/engines/openvino/locate.ts');
    process.env['OPENVINO_LIB_DIR'] = locateOpenVino()[0]!.folder;
    process.env['PERMAFROST_CACHE'] = folder();
    try {
      const program = await maps();
      const other: GraphProgram = { ...program, contract: { ...contract, scale: 1 / 30 } };
      const first = await features(program, 'openvino');
      expect(worst(await features(program, 'openvino'), first)).toBe(0);
      expect(worst(await features(other, 'openvino'), first)).toBeGreaterThan(0.01);
    } finally {
      delete process.env['OPENVINO_LIB_DIR'];
      if (before === undefined) delete process.env['PERMAFROST_CACHE'];
      else process.env['PERMAFROST_CACHE'] = before;
    }
  });
});

describe('engines with operators of their own', () => {
  it('refuse a graph, and say why: onnxruntime-winograd', async () => {
    const engine = await createEngine('onnxruntime-winograd');
    const error = await rejection(engine.load(await maps()), 'OPTION_INVALID');
    expect(error.message).toContain('onnxruntime-winograd runs lists of layers (VGG16, VGG19) alone');
  });
});
