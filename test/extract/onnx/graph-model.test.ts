import { describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import { encodeOnnx, type OnnxGraph } from '../../../src/core/onnx-model.ts';
import { generalisedMeans } from '../../../src/core/sample.ts';
import { graphModel } from '../../../src/extract/onnx/graph-model.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, tokenNet } from '../../support/onnx-files.ts';
import {
  featuresOf,
  measured,
  patternPixels,
  programOf,
  rawContract,
  runOnnx,
  type RunResult,
} from '../../support/onnx-runs.ts';

const folder = temporaryFolders();
const SIZE = 16;
const pixels = patternPixels(3, SIZE);
const contract: Contract = { ...rawContract(SIZE), mean: [120, 110, 100], scale: [1 / 60, 1 / 50, 1 / 40] };

/** What the network's input is, written down once more: one value at a time. */
function asInput({ channelOrder, mean, scale }: Contract, layout: 'NCHW' | 'NHWC', count = 3) {
  const scales = typeof scale === 'number' ? [scale, scale, scale] : scale;
  const data = new Float32Array(pixels.length);
  for (let n = 0; n < count; n++) {
    for (let at = 0; at < SIZE * SIZE; at++) {
      for (let c = 0; c < 3; c++) {
        const pixel = pixels[(n * SIZE * SIZE + at) * 3 + (channelOrder === 'RGB' ? c : 2 - c)]!;
        const to = layout === 'NCHW' ? (n * 3 + c) * SIZE * SIZE + at : (n * SIZE * SIZE + at) * 3 + c;
        data[to] = (pixel - mean[c]!) * scales[c]!;
      }
    }
  }
  const dims = layout === 'NCHW' ? [count, 3, SIZE, SIZE] : [count, SIZE, SIZE, 3];
  return { type: 'float32' as const, dims, data };
}

/** The graph with other tensors as its outputs: what the network itself computes at its cuts. */
const withOutputs = (graph: OnnxGraph, names: readonly string[], rank: number): OnnxGraph => ({
  ...graph,
  outputs: names.map((name) => ({
    name,
    type: 'float32',
    shape: Array.from({ length: rank }, (_, i) => `${name}${i}`),
  })),
});

function expectClose(found: Float32Array, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...Array.from(expected, Math.abs));
  const worst = Math.max(...Array.from(found, (value, i) => Math.abs(value - expected[i]!)));
  expect(worst / largest).toBeLessThan(tolerance);
}

/** Means or maxima over an axis of (images, a, b): `of` gives the index of value j of channel c of image n. */
function pooled(
  { data, dims }: RunResult,
  [channels, values]: readonly [number, number],
  of: (n: number, c: number, j: number) => number,
  how: 'avg' | 'max',
): number[] {
  return Array.from({ length: dims[0]! * channels }, (_, i) => {
    const all = Array.from({ length: values }, (_, j) => data[of(Math.floor(i / channels), i % channels, j)]!);
    return how === 'max' ? Math.max(...all) : all.reduce((a, b) => a + b, 0) / values;
  });
}

describe('the model of a graph', () => {
  describe.each(['NCHW', 'NHWC'] as const)('whose input is %s', (layout) => {
    const graph = convNet({ layout });

    it.each(['RGB', 'BGR'] as const)(
      'gives what the network gives of %s floats made by the contract',
      async (order) => {
        const own = { ...contract, channelOrder: order };
        const network = await measured(folder(), encodeOnnx(graph), { contract: own });
        expect(network.probed.input).toEqual({ name: 'image', layout, dtype: 'float32', batch: undefined });
        const expected = await runOnnx(encodeOnnx(graph), { image: asInput(own, layout) });
        const map = await runOnnx(encodeOnnx(withOutputs(graph, ['block1'], 4)), { image: asInput(own, layout) });
        const found = await featuresOf(
          network,
          [
            { cut: 'logits', pooling: 'avg' },
            { cut: 'block1', pooling: 'flatten' },
            { cut: 'block1', pooling: 'avg' },
            { cut: 'block1', pooling: 'max' },
            { cut: 'block1', pooling: 'gem' },
          ],
          pixels,
        );
        expectClose(found.get('logits/avg')!.data, expected.get('logits')!.data);
        const block = map.get('block1')!;
        const nchw = (n: number, c: number, j: number): number => (n * 8 + c) * 64 + j;
        expectClose(found.get('block1/avg')!.data, pooled(block, [8, 64], nchw, 'avg'));
        expectClose(found.get('block1/max')!.data, pooled(block, [8, 64], nchw, 'max'));
        const flat = Float32Array.from(
          block.data,
          (_, i) => block.data[nchw(Math.floor(i / 512), i % 8, Math.floor((i % 512) / 8))]!,
        );
        expect(found.get('block1/flatten')!.dims).toEqual([3, 512]);
        expectClose(found.get('block1/flatten')!.data, flat);
        const gem = new Float32Array(24);
        for (let n = 0; n < 3; n++) generalisedMeans(flat.subarray(n * 512, (n + 1) * 512), 8, gem, n * 8);
        expectClose(found.get('block1/gem')!.data, gem);
      },
    );
  });

  it('is told apart from one of the other channel order', async () => {
    const network = await measured(folder(), encodeOnnx(convNet()), { contract });
    const outputs = [{ cut: 'features', pooling: 'avg' }] as const;
    const rgb = await featuresOf(network, outputs, pixels);
    const bgr = await featuresOf({ ...network, contract: { ...contract, channelOrder: 'BGR' } }, outputs, pixels);
    expect(rgb.get('features/avg')!.data).not.toEqual(bgr.get('features/avg')!.data);
  });

  it('pools tokens over the patches alone, and gives the class token', async () => {
    const graph = tokenNet(SIZE, 1);
    const network = await measured(folder(), encodeOnnx(graph), { contract });
    const cut = 'last_hidden_state';
    const tokens = (await runOnnx(encodeOnnx(graph), { pixel_values: asInput(contract, 'NCHW') })).get(cut)!;
    expect(tokens.dims).toEqual([3, 17, 12]);
    const poolings = ['flatten', 'avg', 'max', 'cls'] as const;
    const found = await featuresOf(
      network,
      poolings.map((pooling) => ({ cut, pooling })),
      pixels,
    );
    const patch = (n: number, c: number, j: number): number => (n * 17 + 1 + j) * 12 + c;
    expectClose(found.get(`${cut}/avg`)!.data, pooled(tokens, [12, 16], patch, 'avg'));
    expectClose(found.get(`${cut}/max`)!.data, pooled(tokens, [12, 16], patch, 'max'));
    expectClose(found.get(`${cut}/flatten`)!.data, tokens.data);
    const first = Array.from({ length: 36 }, (_, i) => tokens.data[Math.floor(i / 12) * 17 * 12 + (i % 12)]!);
    expectClose(found.get(`${cut}/cls`)!.data, first);
  });

  it('refuses a pooling that a cut has not, and says which it has', async () => {
    const tokens = await measured(folder(), encodeOnnx(tokenNet(SIZE, 0)), { contract });
    const odd = await measured(folder(), encodeOnnx(tokenNet(SIZE, 3)), { contract });
    const conv = await measured(folder(), encodeOnnx(convNet()), { contract });
    const refused = (network: typeof conv, cut: string, pooling: 'avg' | 'cls' | 'gem', message: RegExp): void =>
      expect(() => graphModel(programOf(network, [{ cut, pooling }]))).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', message: textWith(message) }) as Error,
      );
    refused(tokens, 'last_hidden_state', 'cls', /no class token/);
    refused(tokens, 'last_hidden_state', 'gem', /list of tokens/);
    refused(odd, 'last_hidden_state', 'avg', /19 tokens, which is no square.*prefix/);
    refused(conv, 'features', 'gem', /is a vector/);
    refused(conv, 'features', 'cls', /no class token/);
    refused(conv, 'block1', 'cls', /no class token/);
    const flat = await featuresOf(odd, [{ cut: 'last_hidden_state', pooling: 'flatten' }], pixels);
    expect(flat.get('last_hidden_state/flatten')!.dims).toEqual([3, 19 * 12]);
  });

  it('pools by the tokens in front that it is told', async () => {
    const graph = tokenNet(SIZE, 3);
    const cut = 'last_hidden_state';
    const network = await measured(folder(), encodeOnnx(graph), { contract, prefixes: new Map([[cut, 3]]) });
    expect(network.probed.cuts.get(cut)!.shape).toEqual({ height: 1, width: 19, channels: 12, prefix: 3 });
    const tokens = (await runOnnx(encodeOnnx(graph), { pixel_values: asInput(contract, 'NCHW') })).get(cut)!;
    const found = await featuresOf(network, [{ cut, pooling: 'avg' }], pixels);
    const patch = (n: number, c: number, j: number): number => (n * 19 + 3 + j) * 12 + c;
    expectClose(found.get(`${cut}/avg`)!.data, pooled(tokens, [12, 16], patch, 'avg'));
  });

  it.each([7, 9, 11, 13, 18, 22])('means the same in opset %i', async (opset) => {
    const bytes = modelProto(convNet(), { opsets: { '': opset }, ir: opset < 9 ? 3 : 8 });
    const network = await measured(folder(), bytes, { contract });
    const outputs = (['avg', 'max', 'gem', 'flatten'] as const).map((pooling) => ({ cut: 'block1', pooling }));
    const reference = await measured(folder(), encodeOnnx(convNet()), { contract });
    const found = await featuresOf(network, outputs, pixels);
    const expected = await featuresOf(reference, outputs, pixels);
    for (const [name, { data }] of expected) expectClose(found.get(name)!.data, data);
  });

  it('keeps out of the way of tensors whose names it needs', async () => {
    const graph = convNet();
    const renamed = (name: string): string =>
      ({ image: 'pixels', stem: 'block1/avg', 'fc/w': 'logits/avg' })[name] ?? name;
    const own: OnnxGraph = {
      ...graph,
      nodes: graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      })),
      initializers: graph.initializers.map((tensor) => ({ ...tensor, name: renamed(tensor.name) })),
      inputs: graph.inputs.map((input) => ({ ...input, name: renamed(input.name) })),
    };
    const network = await measured(folder(), encodeOnnx(own), { contract });
    expect(network.probed.input.name).toBe('pixels');
    const shared = [
      { cut: 'block1', pooling: 'avg' },
      { cut: 'logits', pooling: 'avg' },
    ] as const;
    const found = await featuresOf(network, [...shared, { cut: 'block1/avg', pooling: 'max' }], pixels);
    const reference = await measured(folder(), encodeOnnx(graph), { contract });
    const expected = await featuresOf(reference, [...shared, { cut: 'stem', pooling: 'max' }], pixels);
    expectClose(found.get('block1/avg')!.data, expected.get('block1/avg')!.data);
    expectClose(found.get('logits/avg')!.data, expected.get('logits/avg')!.data);
    expectClose(found.get('block1/avg/max')!.data, expected.get('stem/max')!.data);
  });

  it('drops what the cuts do not need', async () => {
    const network = await measured(folder(), encodeOnnx(convNet()), { contract });
    const model = Buffer.from(graphModel(programOf(network, [{ cut: 'stem', pooling: 'avg' }])));
    expect(model.includes('stem/w')).toBe(true);
    expect(['block1/w', 'fc/w'].filter((name) => model.includes(name))).toEqual([]);
  });

  it('needs an output, and each once, and cuts that were measured', async () => {
    const network = await measured(folder(), encodeOnnx(convNet()), { contract });
    const output = { cut: 'stem', pooling: 'avg' } as const;
    const make = (outputs: readonly { cut: string; pooling: 'avg' }[]): Promise<unknown> =>
      new Promise((made) => made(graphModel(programOf(network, outputs))));
    await rejection(make([]), 'OPTION_INVALID');
    await rejection(make([output, output]), 'OPTION_INVALID');
    expect((await rejection(make([{ ...output, cut: 'stam' }]), 'OPTION_INVALID')).message).toContain('"stem"');
  });
});
