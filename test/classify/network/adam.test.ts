import { expect, it } from 'vitest';
import { adam } from '../../../src/classify/network/adam.ts';
import { random } from '../../../src/core/random.ts';

const source = random(3);
const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => source.normal());

/** Adam as Keras 3 writes it, in float64: the corrections of both biases go into the rate. */
function expected(start: Float32Array, gradients: readonly Float32Array[], rate: number): Float64Array {
  const w = Float64Array.from(start);
  const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
  gradients.forEach((g, at) => {
    const t = at + 1;
    const a = (rate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
    for (let i = 0; i < w.length; i++) {
      m[i]! += (g[i]! - m[i]!) * 0.1;
      v[i]! += (g[i]! ** 2 - v[i]!) * 0.001;
      w[i]! -= (a * m[i]!) / (Math.sqrt(v[i]!) + 1e-7);
    }
  });
  return w;
}

const START = [numbers(7), numbers(1), numbers(12)];
const GRADIENTS = Array.from({ length: 5 }, () => START.map(({ length }) => numbers(length)));
const RATES = [1e-2, 0, 3e-4];

it('steps each array at its own rate, whatever lengths stand side by side', () => {
  const optimiser = adam(START, NaN);
  for (const gradients of GRADIENTS) optimiser.step(gradients, RATES);
  START.forEach((start, a) => {
    const wanted = expected(
      start,
      GRADIENTS.map((gradients) => gradients[a]!),
      RATES[a]!,
    );
    wanted.forEach((value, i) => expect(optimiser.weights[a]![i]).toBeCloseTo(value, 6));
  });
  expect(optimiser.weights[1]).toEqual(START[1]);
});

it('steps against gradients in its own memory, and goes on from a state to the same bytes', () => {
  const whole = adam(START, 1e-2);
  for (const gradients of GRADIENTS) whole.step(gradients);

  const first = adam(START, 1e-2);
  for (const gradients of GRADIENTS.slice(0, 2)) {
    first.gradients.forEach((array, a) => array.set(gradients[a]!));
    first.step();
  }
  const second = adam(first.weights, 1e-2);
  for (const part of ['first', 'second'] as const) second[part].forEach((array, a) => array.set(first[part][a]!));
  second.steps = first.steps;
  for (const gradients of GRADIENTS.slice(2)) second.step(gradients);
  expect(second.weights).toEqual(whole.weights);
});
