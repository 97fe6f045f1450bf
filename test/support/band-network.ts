import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnnxGraph } from '../../src/core/onnx-model.ts';
import { random } from '../../src/core/random.ts';
import { paint, toSharp } from './pictures.ts';

/**
 * A network of 16 x 16 pixels that sees one thing: how much of channel 0 lies in the band 0 to 1 at each of four
 * heights. Its 8 features are right under one arithmetic only: elsewhere the band is full, or empty.
 */
export const bandNetwork = (): OnnxGraph => ({
  name: 'band',
  nodes: [
    { op: 'Conv', inputs: ['image', 'first'], outputs: ['red'], attributes: {} },
    { op: 'Clip', inputs: ['red', 'zero', 'one'], outputs: ['band'], attributes: {} },
    {
      op: 'AveragePool',
      inputs: ['band'],
      outputs: ['heights'],
      attributes: { kernel_shape: [4, 8], strides: [4, 8] },
    },
    { op: 'Flatten', inputs: ['heights'], outputs: ['features'], attributes: { axis: 1 } },
  ],
  initializers: [
    { name: 'first', shape: [1, 3, 1, 1], data: Float32Array.of(1, 0, 0) },
    { name: 'zero', shape: [], data: Float32Array.of(0) },
    { name: 'one', shape: [], data: Float32Array.of(1) },
  ],
  inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, 16, 16] }],
  outputs: [{ name: 'features', type: 'float32', shape: ['batch', 8] }],
});

/** How its pixels are meant: red from 80 to 180 is the band. */
export const BAND_CONTRACT = {
  size: 16,
  geometry: 'squash',
  kernel: 'bilinear',
  channelOrder: 'RGB',
  mean: [80, 80, 80],
  scale: 0.01,
} as const;

/**
 * Writes `train/<class>/<n>.png` of two classes, told by where red lies within the band: in the upper quarter, or in
 * the lower. The middle is noise, blue and green are too. Pictures are three times as high as wide, or squares.
 */
export async function bandDataset(root: string, count: number, height: 48 | 16 = 48): Promise<string> {
  const generator = random(7);
  for (const [label, isUpper] of [
    ['above', true],
    ['below', false],
  ] as const) {
    const folder = join(root, 'train', label);
    await mkdir(folder, { recursive: true });
    for (let i = 0; i < count; i++) {
      const picture = paint(16, height, (_x, y) => {
        const isInside = isUpper ? y < height / 4 : y >= (height * 3) / 4;
        const isMiddle = y >= height / 4 && y < (height * 3) / 4;
        const red = isMiddle
          ? 80 + generator.below(100)
          : isInside
            ? 150 + generator.below(20)
            : 90 + generator.below(20);
        return [red, generator.below(256), generator.below(256)];
      });
      await toSharp(picture)
        .png()
        .toFile(join(folder, `${i}.png`));
    }
  }
  return root;
}
