import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { meanShifts } from '../../../../src/extract/onnx/int8/mean-shifts.ts';
import { quantizeAlong } from '../../../../src/extract/quantize-weights.ts';

const generator = random(9);
const uniform = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * generator.uniform() - 1);

/** By [output][input] of the whole input, the sum over the window of a kernel. */
type Matrix = readonly (readonly number[])[];

it.each<[string, readonly number[], 0 | 1, number, (at: (...index: number[]) => number) => Matrix]>([
  [
    'a convolution in two groups',
    [4, 3, 1, 2],
    0,
    6,
    (at) =>
      [0, 1, 2, 3].map((o) =>
        [0, 1, 2, 3, 4, 5].map((i) =>
          Math.floor(i / 3) === Math.floor(o / 2) ? at(o, i % 3, 0, 0) + at(o, i % 3, 0, 1) : 0,
        ),
      ),
  ],
  ['a matrix (inputs, outputs)', [3, 2], 1, 3, (at) => [0, 1].map((o) => [0, 1, 2].map((i) => at(i, o)))],
  ['a matrix (outputs, inputs)', [2, 3], 0, 3, (at) => [0, 1].map((o) => [0, 1, 2].map((i) => at(o, i)))],
])('what rounding the weights of %s adds on average is told by the means', (_, dims, axis, channels, matrixOf) => {
  const values = uniform(dims.reduce((product, size) => product * size, 1));
  const kernel = quantizeAlong(values, dims, axis);
  const means = [...uniform(channels)];
  const product = { data: 'x', axis, weight: { name: 'w', dims, type: 1, bytes: new Uint8Array() } };
  const shifts = meanShifts(product, values, kernel, means);
  const flat = (index: readonly number[]): number => index.reduce((at, one, i) => at * dims[i]! + one, 0);
  const sums = (valueAt: (index: readonly number[]) => number): number[] =>
    matrixOf((...index) => valueAt(index)).map((row) => row.reduce((sum, weight, i) => sum + weight * means[i]!, 0));
  const before = sums((index) => values[flat(index)]!);
  const after = sums((index) => kernel.q[flat(index)]! * kernel.scales[index[axis]!]!);
  shifts.forEach((shift, o) => expect(shift).toBeCloseTo(after[o]! - before[o]!, 6));
  expect(Math.max(...shifts.map(Math.abs))).toBeGreaterThan(1e-4);
});
