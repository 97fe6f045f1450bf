import { describe, expect, it } from 'vitest';
import { encodeOnnx, type OnnxGraph, type OnnxType } from '../../../src/core/onnx-model.ts';
import { imageInput } from '../../../src/extract/onnx/image-input.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { textWith } from '../../support/errors.ts';
import { convNet } from '../../support/onnx-files.ts';
import { savedOnnx } from '../../support/onnx-runs.ts';

const folder = temporaryFolders();

type Shape = readonly (number | string)[];
async function inputOf(
  shapes: Readonly<Record<string, Shape | readonly [OnnxType, Shape]>>,
  graph = convNet(),
  name?: string,
) {
  const inputs = Object.entries(shapes).map(([key, given]): OnnxGraph['inputs'][number] => {
    const [type, shape] = Array.isArray(given[1])
      ? (given as readonly [OnnxType, Shape])
      : ['float32' as const, given as Shape];
    return { name: key, type, shape };
  });
  return imageInput(await savedOnnx(folder(), encodeOnnx({ ...graph, inputs })), name);
}

describe('the input of images', () => {
  it.each([
    [['batch', 3, 224, 224], { layout: 'NCHW', height: 224, width: 224 }],
    [[1, 3, 'height', 'width'], { layout: 'NCHW', declaredBatch: 1 }],
    [['batch', 'num_channels', 'height', 'width'], { layout: 'NCHW' }],
    [['N', 'H', 'W', 3], { layout: 'NHWC' }],
    [['', 299, 299, 3], { layout: 'NHWC', height: 299, width: 299 }],
    [['N', 'H', 'W', 'channels'], { layout: 'NHWC' }],
  ] as const)('of the shape %j', async (shape, expected) => {
    expect(await inputOf({ image: shape })).toEqual({ name: 'image', dtype: 'float32', ...expected });
  });

  it.each(['NCHW', 'NHWC'] as const)(
    'is known to be %s by the convolution that reads it, where no size tells',
    async (layout) => {
      const found = await inputOf({ image: ['a', 'b', 'c', 'd'] }, convNet({ layout }));
      expect(found).toEqual({ name: 'image', dtype: 'float32', layout });
      expect(await inputOf({ image: ['n', 3, 'w', 3] }, convNet({ layout }))).toMatchObject({ layout });
    },
  );

  it('is assumed to have the channels first where nothing tells, and says so', async () => {
    const graph: OnnxGraph = { ...convNet(), nodes: [{ op: 'Flatten', inputs: ['image'], outputs: ['logits'] }] };
    const found = await inputOf({ image: ['a', 'b', 'c', 'd'] }, graph);
    expect(found).toMatchObject({
      layout: 'NCHW',
      note: textWith(/Neither.*image float32 \(a, b, c, d\).*tell where the channels are/),
    });
  });

  it('is found among others, and is the one that is named', async () => {
    const shapes = { ids: ['int64', ['batch', 77]], image: ['batch', 3, 16, 16] } as const;
    expect((await inputOf(shapes)).name).toBe('image');
    const both = { image: ['batch', 3, 16, 16], depth: ['batch', 3, 16, 16] } as const;
    expect((await inputOf(both, convNet(), 'depth')).name).toBe('depth');
    await expect(inputOf(both)).rejects.toMatchObject({
      code: 'BACKBONE_INVALID',
      message: textWith(/2 inputs of images, image and depth.*image float32 \(batch, 3, 16, 16\); depth float32/),
    });
    await expect(inputOf(both, convNet(), 'imag')).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: textWith(/no input "imag" \(did you mean "image"\?\)/),
    });
  });

  it.each([
    ['one channel', { image: ['batch', 1, 28, 28] }],
    ['four channels last', { image: ['batch', 224, 224, 4] }],
    ['integers', { image: ['int64', ['batch', 3, 16, 16]] }],
    ['float64', { image: ['float64', ['batch', 3, 16, 16]] }],
    ['three axes', { image: [3, 16, 16] }],
  ] as const)('is not one of %s', async (_, shapes) => {
    await expect(inputOf(shapes as Record<string, Shape>)).rejects.toMatchObject({
      code: 'BACKBONE_INVALID',
      message: textWith(/no input of images\. Expected one input of images with 3 channels.*its inputs are: image /),
    });
  });
});
