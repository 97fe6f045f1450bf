import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { kernelToOnnx } from '../../../src/extract/graph/kernel-layout.ts';
import { programModel } from '../../../src/extract/engines/program-model.ts';
import { outputName, PIXELS, programGraph } from '../../../src/extract/graph/program-graph.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { randomWeights, slimmed, tinyBackbone } from '../../support/tiny-backbone.ts';
import type { Output, LayerProgram } from '../../../src/extract/program.ts';

const backbone = slimmed(vgg16, 16);
const weights = randomWeights(backbone, 1);

function program(outputs: readonly Output[], size = 64): LayerProgram {
  return { backbone, weights, contract: { ...kerasCaffe, size }, outputs };
}

describe('the graph of a program', () => {
  it('ends at the deepest cut: no node and no weight of a layer beyond it', () => {
    const { nodes, initializers } = programGraph(
      program([
        { cut: 'block1_pool', pooling: 'avg' },
        { cut: 'block3_conv1', pooling: 'flatten' },
      ]),
    );
    const names = [...nodes.flatMap(({ outputs }) => outputs), ...initializers.map(({ name }) => name)];
    expect(names).toContain('block3_conv1');
    expect(names.filter((name) => /^block(3_conv[23]|3_pool|[45])/.test(name))).toEqual([]);
  });

  it('declares uint8 NHWC pixels of any batch size, and each output with its name and width', () => {
    const graph = programGraph(
      program([
        { cut: 'block5_pool', pooling: 'flatten' },
        { cut: 'block5_pool', pooling: 'max' },
      ]),
    );
    expect(graph.inputs).toEqual([{ name: PIXELS, type: 'uint8', shape: ['batch', 64, 64, 3] }]);
    expect(graph.outputs).toEqual([
      { name: 'block5_pool/flatten', type: 'float32', shape: ['batch', 2 * 2 * 32] },
      { name: 'block5_pool/max', type: 'float32', shape: ['batch', 32] },
    ]);
    expect(outputName({ cut: 'block5_pool', pooling: 'max' })).toBe('block5_pool/max');
  });

  it('uses each value once: every input of a node was made before', () => {
    const graph = programGraph(program([{ cut: 'block5_pool', pooling: 'avg' }]));
    const known = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const { inputs, outputs } of graph.nodes) {
      for (const name of inputs) expect(known).toContain(name);
      for (const name of outputs) {
        expect(known).not.toContain(name);
        known.add(name);
      }
    }
    for (const { name } of graph.outputs) expect(known).toContain(name);
  });

  it('is the same bytes for the same program', () => {
    const outputs: readonly Output[] = [{ cut: 'block2_pool', pooling: 'max' }];
    expect(programModel(program(outputs))).toEqual(programModel(program(outputs)));
  });

  it('refuses no outputs, repeated outputs and a square that pooling uses up', () => {
    const avg: Output = { cut: 'block5_pool', pooling: 'avg' };
    for (const [outputs, size] of [
      [[], 64],
      [[avg, avg], 64],
      [[avg], 31],
    ] as const) {
      expect(() => programGraph(program(outputs, size))).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }) as Error,
      );
    }
  });

  it('refuses weights of another backbone, naming the tensor', () => {
    const avg: Output = { cut: 'block5_pool', pooling: 'avg' };
    for (const other of [tinyBackbone([4]), slimmed(vgg16, 8)]) {
      const bad = { ...program([avg]), weights: randomWeights(other, 1) };
      expect(() => programGraph(bad)).toThrow(
        expect.objectContaining({
          code: 'WEIGHTS_MISMATCH',
          message: expect.stringContaining('needs 108 values for block1_conv1/kernel') as string,
        }) as Error,
      );
    }
  });

  it('refuses a backbone that does not begin with a convolution', () => {
    const poolFirst = { name: 'pool-first', layers: backbone.layers.slice(2) };
    const bad = { ...program([{ cut: 'block5_pool', pooling: 'avg' }]), backbone: poolFirst };
    expect(() => programGraph(bad)).toThrow(/pool-first must begin with a convolution/);
  });
});

describe('kernelToOnnx', () => {
  it('moves the value at (y, x, in, out) to (out, in, y, x), with the input channels reversed on request', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (inputs, filters, reversed) => {
          const hwio = Float32Array.from({ length: 9 * inputs * filters }, (_, i) => i);
          const oihw = kernelToOnnx(hwio, inputs, filters, reversed);
          for (let y = 0; y < 3; y++) {
            for (let x = 0; x < 3; x++) {
              for (let i = 0; i < inputs; i++) {
                for (let o = 0; o < filters; o++) {
                  const to = ((o * inputs + (reversed ? inputs - 1 - i : i)) * 3 + y) * 3 + x;
                  expect(oihw[to]).toBe(hwio[((y * 3 + x) * inputs + i) * filters + o]);
                }
              }
            }
          }
        },
      ),
    );
  });
});
