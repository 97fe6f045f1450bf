import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSession } from '../../../src/core/onnxruntime.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { programModel } from '../../../src/extract/engines/program-model.ts';
import { programGraph } from '../../../src/extract/graph/program-graph.ts';
import { quantizeBias, quantizeKernel } from '../../../src/extract/quantize-weights.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { randomWeights, slimmed } from '../../support/tiny-backbone.ts';
import type { LayerProgram, Quantization } from '../../../src/extract/program.ts';

const backbone = slimmed(vgg16, 16);

function program(leaveOut = ''): LayerProgram {
  const names = backbone.layers.map(({ name }) => name).filter((name) => name !== leaveOut);
  const quantization: Quantization = {
    digest: 'of a test',
    ranges: new Map(names.map((name, i) => [name, { min: 0, max: 10 + i }])),
  };
  return {
    backbone,
    weights: randomWeights(backbone, 1),
    contract: { ...kerasCaffe, size: 32 },
    outputs: [
      { cut: 'block3_pool', pooling: 'avg' },
      { cut: 'block5_pool', pooling: 'flatten' },
    ],
    quantization,
  };
}

/** How often a node of this type stands in an ONNX model: field 4 of NodeProto (tag 0x22), length, name. */
function occurrences(model: Buffer, op: string): number {
  return model.toString('latin1').split(`\x22${String.fromCharCode(op.length)}${op}`).length - 1;
}

describe('the graph of a quantized program', () => {
  it('has no node between a convolution and its quantization, so that the runtime can make one operator of both', () => {
    const { nodes } = programGraph(program());
    const convs = nodes.filter(({ op }) => op === 'Conv').slice(1);
    expect(convs).toHaveLength(12);
    for (const conv of convs) {
      const readers = nodes.filter(({ inputs }) => inputs.includes(conv.outputs[0]!));
      expect(readers.map(({ op }) => op)).toEqual(['QuantizeLinear']);
    }
  });

  it('reads and writes 8 bits around every pool, with the step that the convolution before wrote', () => {
    const { nodes, initializers } = programGraph(program());
    const stepOf = (name: string): number =>
      initializers.find((tensor) => tensor.name === `${name}/step`)!.data[0] as number;
    for (const pool of ['block1_pool', 'block3_pool', 'block5_pool']) {
      const node = nodes.find(({ op, outputs }) => op === 'MaxPool' && outputs[0] === `${pool}/float`)!;
      expect(stepOf(node.inputs[0]!)).toBe(stepOf(pool));
      const layer = backbone.layers.findIndex(({ name }) => name === pool);
      expect(stepOf(pool)).toBeCloseTo((10 + layer) / 255, 6);
    }
  });

  it('becomes integer kernels in ONNX Runtime: every convolution but the first, and no float one beside them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'permafrost-fused-'));
    try {
      const path = join(folder, 'fused.onnx');
      const session = await createSession(programModel(program()), {
        executionProviders: ['cpu'],
        optimizedModelFilePath: path,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      await session.release();
      const fused = readFileSync(path);
      const found = (op: string): number => occurrences(fused, op);
      expect({ integer: found('QLinearConv'), float: found('Conv') + found('FusedConv') }).toEqual({
        integer: 12,
        float: 1,
      });
      expect(found('QuantizeLinear')).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a calibration that lacks a layer, naming it', () => {
    expect(() => programGraph(program('block4_conv2'))).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('no range for block4_conv2') as string,
      }) as Error,
    );
  });
});

describe('weights in 8 bits', () => {
  const kernels = fc.integer({ min: 1, max: 4 }).chain((filters) =>
    fc.record({
      filters: fc.constant(filters),
      kernel: fc
        .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 9 * filters, maxLength: 9 * filters })
        .map((values) => Float32Array.from(values)),
    }),
  );

  it('are at most half a step off, and each filter uses its whole range', () => {
    fc.assert(
      fc.property(kernels, ({ kernel, filters }) => {
        const { q, scales } = quantizeKernel(kernel, filters);
        for (let f = 0; f < filters; f++) {
          const values = kernel.subarray(f * 9, f * 9 + 9);
          const found = q.subarray(f * 9, f * 9 + 9);
          if (values.some((value) => Math.abs(value) > 1e-30)) {
            expect(Math.max(...found.map(Math.abs))).toBe(127);
          }
          values.forEach((value, i) => {
            const error = Math.abs(found[i]! * scales[f]! - value);
            expect(error).toBeLessThanOrEqual(scales[f]! * 0.5001);
          });
        }
      }),
    );
  });

  it('keep a filter of zeros, and a bias to half a unit', () => {
    expect(quantizeKernel(new Float32Array(18), 2)).toEqual({
      q: new Int8Array(18),
      scales: Float32Array.of(1, 1),
    });
    expect(quantizeBias(Float32Array.of(1, -0.26, 0), Float32Array.of(0.5, 0.1, 1))).toEqual(Int32Array.of(2, -3, 0));
  });
});
