import type { Grey } from './grey.ts';

/**
 * Where a pixel (x, y) of one picture lies in the other: (p0 x + p1 y + p2, p3 x + p4 y + p5), both from the middles.
 */
export type Affine = readonly [number, number, number, number, number, number];

export interface Likeness {
  /** Correlation coefficient of the grey values where both pictures are, -1 to 1; -1 where too little is common. */
  readonly correlation: number;
  /** Share of the first picture that lies within the other. */
  readonly overlap: number;
}

export const UNLIKE: Likeness = { correlation: -1, overlap: 0 };

/** Least variance, in squared levels, of what is compared. */
const LEAST_VARIANCE = 4;

/** Sums over pairs of values, and what they say. */
export function likenessOf(
  n: number,
  of: number,
  [sumA, sumB, squaresA, squaresB, products]: readonly [number, number, number, number, number],
  leastOverlap: number,
): Likeness {
  const [varianceA, varianceB] = [squaresA - (sumA * sumA) / n, squaresB - (sumB * sumB) / n];
  if (n < of * leastOverlap || Math.min(varianceA, varianceB) < n * LEAST_VARIANCE) return UNLIKE;
  return { correlation: (products - (sumA * sumB) / n) / Math.sqrt(varianceA * varianceB), overlap: n / of };
}

/** How alike `a` is to `b` under `map`, bilinear between the pixels of `b`. */
export function likeness(a: Grey, b: Grey, map: Affine, leastOverlap: number): Likeness {
  const { side, values } = a;
  const middle = (side - 1) / 2;
  const sums: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  let n = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [x - middle, y - middle];
      const toX = map[0] * u + map[1] * v + map[2] + middle;
      const toY = map[3] * u + map[4] * v + map[5] + middle;
      if (!(toX >= 0 && toY >= 0 && toX <= side - 1 && toY <= side - 1)) continue;
      const left = Math.min(side - 2, Math.floor(toX));
      const top = Math.min(side - 2, Math.floor(toY));
      const [right, down] = [toX - left, toY - top];
      const at = top * side + left;
      const upper = b.values[at]! * (1 - right) + b.values[at + 1]! * right;
      const lower = b.values[at + side]! * (1 - right) + b.values[at + side + 1]! * right;
      const [p, q] = [values[y * side + x]!, upper * (1 - down) + lower * down];
      n++;
      sums[0] += p;
      sums[1] += q;
      sums[2] += p * p;
      sums[3] += q * q;
      sums[4] += p * q;
    }
  }
  return likenessOf(n, side * side, sums, leastOverlap);
}
