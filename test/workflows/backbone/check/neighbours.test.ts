import { describe, expect, it } from 'vitest';
import { presetContract } from '../../../../src/extract/contracts/presets.ts';
import { arithmeticNeighbours, geometryNeighbours } from '../../../../src/workflows/backbone/check/neighbours.ts';

const names = (neighbours: readonly { readonly what: string }[]): string[] => neighbours.map(({ what }) => what);

describe('neighbours of a contract', () => {
  it('leave out arithmetic that is nearly the same', () => {
    const own = { ...presetContract('tf', 224), mean: [127, 127, 127] as const, scale: 1 / 128 };
    expect(names(arithmeticNeighbours(own, 'float32'))).toEqual([
      'BGR instead of RGB',
      'pixels divided by 255 once more',
      'pixels divided by 255 once less',
      'the mean and deviation of ImageNet',
      'the mean and deviation of CLIP',
      'BGR less the means of ImageNet (Caffe)',
      'pixels from 0 to 1',
      'pixels from 0 to 255',
    ]);
  });

  it('keep to each channel its own mean and scale', () => {
    const [swapped] = arithmeticNeighbours(presetContract('caffe', 224), 'float32');
    expect(swapped).toMatchObject({
      what: 'RGB instead of BGR',
      contract: { channelOrder: 'RGB', mean: [123.68, 116.779, 103.939] },
    });
  });

  it('of a network that takes bytes are of the order alone', () => {
    expect(names(arithmeticNeighbours(presetContract('raw', 224), 'uint8'))).toEqual(['BGR instead of RGB']);
  });

  it('lay pictures otherwise into the square', () => {
    const crop = presetContract('imagenet', 224);
    expect(names(geometryNeighbours(crop, false))).toEqual([
      'squashed instead of cropped',
      'shorter side to 224 instead of 256 before the crop',
    ]);
    expect(names(geometryNeighbours(crop, true))).toEqual(['shorter side to 224 instead of 256 before the crop']);
    const squash = presetContract('siglip', 224);
    expect(names(geometryNeighbours(squash, false))).toEqual(['cropped instead of squashed']);
    expect(geometryNeighbours(squash, true)).toEqual([]);
  });
});
