import { describe, expect, it } from 'vitest';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../../../src/core/onnx-model.ts';
import { createOnnxRuntimeEngine } from '../../../../src/extract/engines/onnxruntime.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import {
  convNet,
  modelProto,
  nodeProto,
  outputProto,
  quantizedConvNet,
  tokenNet,
  weights,
} from '../../../support/onnx-files.ts';
import { featuresOf, measured, patternPixels, rawContract, type Measured } from '../../../support/onnx-runs.ts';

const folder = temporaryFolders();
const SIZE = 16;
const contract = { ...rawContract(SIZE), mean: [120, 110, 100], scale: 1 / 60 } as const;
const raw = rawContract(SIZE);

const node = (op: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const floats = (name: string, shape: number[], ...values: number[]): OnnxTensor => ({
  name,
  shape,
  data: Float32Array.from(values),
});
const integers = (name: string, ...values: number[]): OnnxTensor => ({
  name,
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});

/** A graph with other operators behind one of its tensors, whose last output is the only one. */
function followed(graph: OnnxGraph, nodes: readonly OnnxNode[], constants: readonly OnnxTensor[] = []): OnnxGraph {
  return {
    ...graph,
    nodes: [...graph.nodes, ...nodes],
    initializers: [...graph.initializers, ...constants],
    outputs: [{ name: nodes.at(-1)!.outputs[0]!, type: 'float32', shape: ['batch', 'width'] }],
  };
}

/** The features of images at a cut, from the engine. */
async function byEngine(
  { file, probed, contract: own }: Measured,
  cut: string,
  pixels: Uint8Array,
): Promise<Float32Array> {
  const engine = await createOnnxRuntimeEngine({ threads: 1 });
  const backbone = { name: 'test', file, ...probed };
  const executable = await engine.load({ backbone, contract: own, outputs: [{ cut, pooling: 'avg' }] });
  try {
    const [features] = await executable.run(pixels, pixels.length / (SIZE * SIZE * 3));
    return features!.data.slice();
  } finally {
    await executable.dispose();
  }
}

describe('a probe', () => {
  it('measures the cuts of a convolutional network, shallow to deep', async () => {
    const { probed } = await measured(folder(), encodeOnnx(convNet()), { contract });
    const map = (side: number) => ({ height: side, width: side, channels: 8 });
    expect([...probed.cuts]).toEqual([
      ['stem', { axes: 'NCHW', depth: 1, shape: map(8) }],
      ['block1', { axes: 'NCHW', depth: 4, shape: map(8) }],
      ['pool', { axes: 'NCHW', depth: 5, shape: map(4) }],
      ['features', { axes: 'vector', depth: 7, shape: map(1) }],
      ['logits', { axes: 'vector', depth: 8, shape: { ...map(1), channels: 5 } }],
    ]);
    expect(probed.defaultCut).toBe('features');
    expect(probed.notes).toEqual([
      'The default cut is "features", what goes into the last product before the output "logits".',
    ]);
  });

  it('tells height and width from channels where all three are equal', async () => {
    // The map of block1 is 8 x 8 with 8 channels, in either order.
    const nhwc = followed(convNet(), [node('Transpose', ['block1'], 'turned', { perm: [0, 2, 3, 1] }), node('Relu', ['turned'], 'last')]); // prettier-ignore
    const { probed } = await measured(folder(), encodeOnnx(nhwc), { contract, cuts: ['turned', 'block1/conv'] });
    expect(probed.cuts.get('turned')!.axes).toBe('NHWC');
    expect(probed.cuts.get('last')!.axes).toBe('NHWC');
    expect(probed.cuts.get('block1/conv')!.axes).toBe('NCHW');
  });

  it('finds the class token of a classifier of tokens', async () => {
    const { probed } = await measured(folder(), encodeOnnx(tokenNet(SIZE, 1, { classes: 3 })), { contract });
    expect(probed.defaultCut).toBe('class token');
    expect(probed.cuts.get('block0')).toMatchObject({ axes: 'tokens', shape: { width: 17, channels: 12, prefix: 1 } });
  });

  it('takes an output that is called features for what it is', async () => {
    const graph = convNet();
    const named: OnnxGraph = {
      ...graph,
      nodes: graph.nodes.map((one) => ({
        ...one,
        outputs: one.outputs.map((name) => (name === 'logits' ? 'image_embeds' : name)),
      })),
      outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', 5] }],
    };
    expect((await measured(folder(), encodeOnnx(named), { contract })).probed.defaultCut).toBe('image_embeds');
  });

  it('computes any number of images where a file only says one', async () => {
    const { probed } = await measured(folder(), encodeOnnx(convNet({ batch: 1 })), { contract });
    expect(probed.input.batch).toBeUndefined();
  });

  it('gives an image several times where a batch of several is baked in, and takes what is said of the first', async () => {
    const rows = (batch: number): OnnxGraph =>
      followed(
        convNet({ batch }),
        [node('Reshape', ['pool', 'rows'], 'row'), node('Add', ['row', 'wide'], 'end')],
        [integers('rows', batch, 128), weights('wide', [batch, 128], 1)],
      );
    const [several, one] = [
      await measured(folder(), modelProto(rows(4)), { contract }),
      await measured(folder(), modelProto(rows(1)), { contract }),
    ];
    expect(several.probed.input).toMatchObject({ batch: 1, repeats: 4 });
    expect(several.probed.cuts).toEqual(one.probed.cuts);
    expect(several.probed.notes.join()).toMatch(
      /one at a time: a batch of 4 is baked into it, so each is given 4 times and takes 4 times as long/,
    );
    const pixels = patternPixels(3, SIZE);
    for (const cut of ['block1', 'pool', 'end'])
      expect(await byEngine(several, cut, pixels)).toEqual(await byEngine(one, cut, pixels));
    // A batch that is declared and not needed is left alone.
    const declared = await measured(folder(), encodeOnnx(convNet({ batch: 4 })), { contract });
    expect(declared.probed.input).toEqual({ ...one.probed.input, batch: undefined });
  });

  it('runs one image at a time where a batch of one is baked in', async () => {
    const baked = followed(
      convNet({ batch: 1 }),
      [node('Reshape', ['pool', 'one row'], 'row')],
      [integers('one row', 1, -1)],
    );
    const network = await measured(folder(), encodeOnnx(baked), { contract });
    expect(network.probed.input.batch).toBe(1);
    expect(network.probed.notes.join()).toMatch(/one at a time: a batch of one is baked into it \(at "row"\)/);
    expect(network.probed.cuts.get('row')!.shape.channels).toBe(8 * 16);
  });

  it('runs one image at a time where its neighbours change features, which then they do not', async () => {
    const graph = followed(convNet(), [
      node('ReduceMean', ['features'], 'mean of the batch', { axes: [0] }),
      node('Add', ['features', 'mean of the batch'], 'moved'),
    ]);
    const network = await measured(folder(), encodeOnnx(graph), { contract });
    expect(network.probed.input.batch).toBe(1);
    expect(network.probed.notes.join()).toMatch(/one at a time: features at "moved" depend on the other images/);
    const [pixels, half] = [patternPixels(2, SIZE), SIZE * SIZE * 3];
    const together = await byEngine(network, 'moved', pixels);
    expect(together.subarray(0, 8)).toEqual(await byEngine(network, 'moved', pixels.subarray(0, half)));
    expect(together.subarray(8)).toEqual(await byEngine(network, 'moved', pixels.subarray(half)));
    expect(together.subarray(8)).not.toEqual(together.subarray(0, 8));
  });

  it('refuses a network that computes with random numbers', async () => {
    const graph = followed(convNet(), [node('RandomNormalLike', ['features'], 'noise'), node('Add', ['features', 'noise'], 'noisy')]); // prettier-ignore
    const { message } = await rejection(measured(folder(), encodeOnnx(graph), { contract }), 'BACKBONE_INVALID');
    expect(message).toMatch(/other features each time.*model\.eval/);
  });

  it('refuses a network whose features are not finite on grey', async () => {
    const nodes = [node('Mul', ['features', 'nought'], 'zeros'), node('Log', ['zeros'], 'endless')];
    const bytes = encodeOnnx(followed(convNet(), nodes, [floats('nought', [], 0)]));
    const { message } = await rejection(measured(folder(), bytes, { contract }), 'BACKBONE_INVALID');
    expect(message).toMatch(/"endless".*not finite on a grey image/);
  });

  it('takes pixels as they are where the input is of bytes, and refuses to scale them', async () => {
    const graph = convNet({ layout: 'NHWC' });
    const bytes: OnnxGraph = {
      ...graph,
      nodes: [node('Cast', ['bytes'], 'image', { to: 1 }), ...graph.nodes],
      inputs: [{ name: 'bytes', type: 'uint8', shape: ['batch', SIZE, SIZE, 3] }],
    };
    const network = await measured(folder(), encodeOnnx(bytes), { contract: raw });
    expect(network.probed.input).toEqual({ name: 'bytes', layout: 'NHWC', dtype: 'uint8', batch: undefined });
    const reference = await measured(folder(), encodeOnnx(convNet()), { contract: raw });
    const outputs = [{ cut: 'features', pooling: 'avg' }] as const;
    const found = await featuresOf(network, outputs, patternPixels(2, SIZE));
    expect(found).toEqual(await featuresOf(reference, outputs, patternPixels(2, SIZE)));
    const { message } = await rejection(measured(folder(), encodeOnnx(bytes), { contract }), 'CONTRACT_INVALID');
    expect(message).toMatch(/takes pixels as bytes.*--contract raw/);
  });

  it('reads and gives half precision as float32', async () => {
    const graph = convNet();
    const half: OnnxGraph = {
      ...graph,
      nodes: [
        node('Cast', ['half'], 'image', { to: 1 }),
        ...graph.nodes,
        node('Cast', ['features'], 'half features', { to: 10 }),
      ],
      inputs: [{ name: 'half', type: 'float16', shape: ['batch', 3, SIZE, SIZE] }],
      outputs: [{ name: 'half features', type: 'float16', shape: ['batch', 8] }],
    };
    const network = await measured(folder(), encodeOnnx(half), { contract });
    expect(network.probed.input.dtype).toBe('float16');
    expect(network.probed.defaultCut).toBe('half features');
    const found = await featuresOf(network, [{ cut: 'half features', pooling: 'avg' }], patternPixels(1, SIZE));
    const reference = await measured(folder(), encodeOnnx(graph), { contract });
    const expected = await featuresOf(reference, [{ cut: 'features', pooling: 'avg' }], patternPixels(1, SIZE));
    const features = expected.get('features/avg')!.data;
    // Half precision has 11 bits.
    found
      .get('half features/avg')!
      .data.forEach((value, i) => expect(Math.abs(value / features[i]! - 1)).toBeLessThan(2e-3));
  });

  it('runs a file that is in 8 bits already as it is', async () => {
    const { probed } = await measured(folder(), encodeOnnx(quantizedConvNet()), { contract });
    expect(probed.input.batch).toBeUndefined();
    expect(probed.defaultCut).toBe('features/8');
    await rejection(
      measured(folder(), encodeOnnx(quantizedConvNet()), { contract, cuts: ['stem/8/q'] }),
      'OPTION_INVALID',
    );
  });

  it('says why a tensor that was asked for cannot be a cut', async () => {
    const graph = followed(
      convNet(),
      [
        node('Shape', ['pool'], 'sizes'),
        node('Reshape', ['pool', 'merged'], 'merged images'),
        node('Reshape', ['pool', 'split'], 'five axes'),
        node('Identity', ['logits'], 'end'),
      ],
      [integers('merged', 4, -1), integers('split', 0, 0, 2, 2, -1)],
    );
    const asked = async (cut: string): Promise<string> =>
      (await rejection(measured(folder(), encodeOnnx(graph), { contract, cuts: [cut] }), 'OPTION_INVALID')).message;
    expect(await asked('sizes')).toMatch(/"sizes": its values are int64/);
    expect(await asked('merged images')).toMatch(/one image gives it the shape \(4, 32\), expected 1/);
    expect(await asked('five axes')).toMatch(/its shape \(1, 8, 2, 2, 4\) is no vector/);
    expect(await asked('blok1')).toMatch(/no tensor "blok1".*did you mean "block1"/);
    expect(await asked('stem/w')).toMatch(/no tensor "stem\/w" that a node writes/);
  });

  it('refuses more tokens in front than there are', async () => {
    const request = { contract, cuts: ['block0'], prefixes: new Map([['block0', 17]]) };
    const { message } = await rejection(measured(folder(), encodeOnnx(tokenNet()), request), 'OPTION_INVALID');
    expect(message).toMatch(/"block0": it has 17 tokens, of which 17 are said to be no patches/);
  });

  it('refuses a network that needs more than an image, and cuts it where it does not', async () => {
    const graph = convNet();
    const both: OnnxGraph = {
      ...graph,
      nodes: [...graph.nodes, node('Mul', ['logits', 'text'], 'match')],
      inputs: [...graph.inputs, { name: 'text', type: 'float32', shape: ['batch', 5] }],
      outputs: [{ name: 'match', type: 'float32', shape: ['batch', 5] }],
    };
    const { message } = await rejection(
      measured(folder(), encodeOnnx(both), { contract, cuts: ['match'] }),
      'BACKBONE_INVALID',
    );
    expect(message).toMatch(/cannot be run on images alone: beside the input "image" its tensors match need text/);
    const { probed } = await measured(folder(), encodeOnnx(both), { contract, cuts: ['block1'] });
    expect(probed.cuts.has('match')).toBe(false);
    expect(probed.cuts.has('block1')).toBe(true);
  });

  it.each([
    [
      'of another size',
      modelProto(convNet({ size: 32 })),
      /takes images of 32 x 32 pixels.*the contract gives 16 x 16/,
    ],
    [
      'with operators of its maker alone',
      modelProto(convNet(), {
        opsets: { '': 17, acme: 1 },
        graphFields: [
          nodeProto({ op: 'Sparkle', domain: 'acme', inputs: ['logits'], outputs: ['sparks'] }),
          outputProto('sparks'),
        ],
      }),
      /operators that are in no runtime: Sparkle of the domain acme/,
    ],
    [
      'of an IR version of the future',
      modelProto(convNet(), { ir: 99 }),
      /IR version 99, and this ONNX Runtime knows \d+ at most.*opset 17/,
    ],
    [
      'of an opset of the future',
      modelProto(convNet(), { opsets: { '': 99 } }),
      /opset 99, which this ONNX Runtime does not know.*opset 17/,
    ],
    [
      'of so many images at a time that one would take minutes',
      modelProto(
        followed(
          convNet({ batch: 65 }),
          [node('Reshape', ['pool', 'rows'], 'row'), node('Add', ['row', 'wide'], 'end')],
          [integers('rows', 65, 128), weights('wide', [65, 128], 1)],
        ),
      ),
      /exported for 65 images at a time/,
    ],
  ] as const)('refuses a file %s, and says what to do', async (_, bytes, message) => {
    const refused = await rejection(measured(folder(), bytes, { contract }), 'BACKBONE_INVALID');
    expect(refused.message).toMatch(message);
  });
});
