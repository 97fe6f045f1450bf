import { describe, expect, it } from 'vitest';
import { labelAlignment, pairedJackknife } from '../../../src/classify/evaluate/label-alignment.ts';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';

const classes = Int32Array.from({ length: 60 }, (_, i) => i % 2);

/** Rows around two centres that lie `apart` from each other. */
function rows(apart: number, seed: number): Matrix {
  const generator = random(seed);
  const X = matrix(60, 4);
  X.data.set(
    X.data.map((_, at) => generator.normal() + (at % 4 === 0 ? apart * (2 * (Math.floor(at / 4) % 2) - 1) : 0)),
  );
  return X;
}

/** The definition, with both matrices centred. */
function byDefinition(X: Matrix): number {
  const n = X.rows;
  const centred = (of: (i: number, j: number) => number): number[][] => {
    const M = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => of(i, j)));
    const means = M.map((line) => line.reduce((a, b) => a + b) / n);
    const all = means.reduce((a, b) => a + b) / n;
    return M.map((line, i) => line.map((value, j) => value - means[i]! - means[j]! + all));
  };
  const row = (i: number): number[] => [...X.data.subarray(i * 4, i * 4 + 4)];
  const K = centred((i, j) => row(i).reduce((sum, value, c) => sum + value * row(j)[c]!, 0));
  const T = centred((i, j) => Number(classes[i] === classes[j]));
  const product = (A: number[][], B: number[][]): number =>
    A.flatMap((line, i) => line.map((value, j) => value * B[i]![j]!)).reduce((a, b) => a + b);
  return product(K, T) / Math.sqrt(product(K, K) * product(T, T));
}

describe('the alignment of rows with their classes', () => {
  it('is that of the definition', () => {
    const X = rows(1, 3);
    expect(labelAlignment(X, classes).value).toBeCloseTo(byDefinition(X), 10);
  });

  it('is 1 where rows are equal within a class, and 0 where they are all the same', () => {
    const X = matrix(60, 1);
    X.data.set(classes);
    expect(labelAlignment(X, classes).value).toBeCloseTo(1, 10);
    X.data.fill(1);
    expect(labelAlignment(X, classes).value).toBe(0);
  });

  it('tells better rows from worse ones, and not two draws of one kind', () => {
    const [far, near] = [labelAlignment(rows(3, 1), classes), labelAlignment(rows(0.3, 2), classes)];
    expect(far.value).toBeGreaterThan(near.value);
    expect(pairedJackknife(far, near)).toBeLessThan(1e-6);
    expect(pairedJackknife(far, far)).toBe(1);
    const alike = Array.from({ length: 40 }, (_, i) =>
      pairedJackknife(labelAlignment(rows(1, 100 + i), classes), labelAlignment(rows(1, 200 + i), classes)),
    );
    // Of 40 comparisons of equals at 5 %, 2 are expected; 8 or more happen once in 1,700 times.
    expect(alike.filter((p) => p < 0.05).length).toBeLessThan(8);
  });
});
