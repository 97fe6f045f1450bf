import { expect, it } from 'vitest';
import type { PermafrostError } from '../../../../src/core/errors.ts';
import { vgg16 } from '../../../../src/extract/backbones/vgg.ts';
import { microBatchOf, sizeOf } from '../../../../src/workflows/finetune/training/micro-batch.ts';
import { tailFrom } from '../../../../src/workflows/finetune/training/tail.ts';

const head = { pooling: 'avg', norm: 'l2', classes: 5 } as const;

it('counts what is trained: three convolutions of 512 channels, and the dense layer', () => {
  const { parameters, activations } = sizeOf(tailFrom(vgg16, 'block5_conv1', 224), head);
  expect(parameters).toBe(3 * (9 * 512 + 1) * 512 + 513 * 5);
  expect(activations).toBe(3 * 14 * 14 * 1024);
  expect(sizeOf(tailFrom(vgg16, 'block1_conv1', 224), { ...head, classes: 2 }).parameters).toBe(14_714_688 + 513 * 2);
});

it('runs as many images at once as fit 2 GB: fewer the more layers are trained', () => {
  const images = ['block5_conv1', 'block4_conv1', 'block1_conv1'].map((from) =>
    microBatchOf(sizeOf(tailFrom(vgg16, from, 224), head), 32, 0, 8e9),
  );
  expect(images).toEqual([32, 4, 1]);
});

it('takes what is asked for, but never more than the batch', () => {
  const size = sizeOf(tailFrom(vgg16, 'block5_conv1', 224), head);
  expect(microBatchOf(size, 32, 5, 8e9)).toBe(5);
  expect(microBatchOf(size, 8, 64, 8e9)).toBe(8);
});

it('halves the run within a small bound, and refuses one in which no image fits', () => {
  const size = sizeOf(tailFrom(vgg16, 'block5_conv1', 224), head);
  expect(microBatchOf(size, 32, 0, 1.1e9)).toBeLessThan(32);
  expect(() => microBatchOf(size, 32, 0, 5e8)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' } satisfies Partial<PermafrostError>) as Error,
  );
});
