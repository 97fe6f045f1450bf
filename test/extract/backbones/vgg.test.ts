import { describe, expect, it } from 'vitest';
import { cutLayerNames, featureWidth, layersUpTo, outputShape } from '../../../src/extract/backbones/cut-layers.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { expectedTensors } from '../../../src/extract/weights/fit-weights.ts';

describe('the VGG16 backbone', () => {
  it('has the 13 convolutions and 5 pools of Keras, in order', () => {
    expect(cutLayerNames(vgg16).join(' ')).toBe(
      'block1_conv1 block1_conv2 block1_pool block2_conv1 block2_conv2 block2_pool ' +
        'block3_conv1 block3_conv2 block3_conv3 block3_pool block4_conv1 block4_conv2 block4_conv3 block4_pool ' +
        'block5_conv1 block5_conv2 block5_conv3 block5_pool',
    );
  });

  it('has 14,714,688 parameters, as Keras counts', () => {
    const sizes = expectedTensors(vgg16).map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(14_714_688);
  });

  it.each([
    ['block1_conv1', 224, 64],
    ['block2_pool', 56, 128],
    ['block4_pool', 14, 512],
    ['block5_pool', 7, 512],
  ])('gives %s of %i x %i places and %i channels for 224 pixels', (cut, side, channels) => {
    expect(outputShape(vgg16, cut, 224)).toEqual({ height: side, width: side, channels });
  });

  it('gives 25,088 flattened features at block5_pool, 512 pooled ones', () => {
    const shape = outputShape(vgg16, 'block5_pool', 224);
    expect(['flatten', 'avg', 'max'].map((pooling) => featureWidth(shape, pooling as 'avg'))).toEqual([
      25_088, 512, 512,
    ]);
  });

  it('rounds odd sides down, as Keras pools', () => {
    expect(outputShape(vgg16, 'block3_pool', 63)).toMatchObject({ height: 7, width: 7 });
  });

  it('refuses an unknown cut layer, naming the nearest and all others', () => {
    expect(() => layersUpTo(vgg16, 'block5_pol')).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringMatching(/did you mean "block5_pool".*block1_conv1, block1_conv2/) as string,
      }) as Error,
    );
  });

  it('refuses a size of which pooling leaves nothing', () => {
    expect(outputShape(vgg16, 'block5_pool', 32)).toMatchObject({ height: 1 });
    expect(() => outputShape(vgg16, 'block5_pool', 31)).toThrow(/Size 31 is too small for block5_pool/);
  });
});
