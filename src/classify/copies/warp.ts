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

/**
 * Visits the pixels of a square that `map` leaves in it: the pixel's number, its place (u, v) from the middle, the
 * pixel above and left of where it is mapped to, and how far right of and below that one it lies (0 to 1).
 */
export function eachMapped(
  side: number,
  map: Affine,
  visit: (pixel: number, u: number, v: number, at: number, right: number, down: number) => void,
): void {
  const middle = (side - 1) / 2;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [x - middle, y - middle];
      const toX = map[0] * u + map[1] * v + map[2] + middle;
      const toY = map[3] * u + map[4] * v + map[5] + middle;
      if (!(toX >= 0 && toY >= 0 && toX <= side - 1 && toY <= side - 1)) continue;
      const left = Math.min(side - 2, Math.floor(toX));
      const top = Math.min(side - 2, Math.floor(toY));
      visit(y * side + x, u, v, top * side + left, toX - left, toY - top);
    }
  }
}

/** The values of `a` and of `b` under `map`, bilinear between its pixels, at the pixels that both have. */
export function overlapping(a: Grey, b: Grey, map: Affine): readonly [Float32Array, Float32Array] {
  const { side, values } = a;
  const [ours, theirs] = [new Float32Array(values.length), new Float32Array(values.length)];
  let n = 0;
  eachMapped(side, map, (pixel, _u, _v, at, right, down) => {
    const upper = b.values[at]! * (1 - right) + b.values[at + 1]! * right;
    const lower = b.values[at + side]! * (1 - right) + b.values[at + side + 1]! * right;
    ours[n] = values[pixel]!;
    theirs[n++] = upper * (1 - down) + lower * down;
  });
  return [ours.subarray(0, n), theirs.subarray(0, n)];
}

/** How alike `a` is to `b` under `map`. */
export function likeness(a: Grey, b: Grey, map: Affine, leastOverlap: number): Likeness {
  const [ours, theirs] = overlapping(a, b, map);
  const sums: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  for (let i = 0; i < ours.length; i++) {
    const [p, q] = [ours[i]!, theirs[i]!];
    sums[0] += p;
    sums[1] += q;
    sums[2] += p * p;
    sums[3] += q * q;
    sums[4] += p * q;
  }
  return likenessOf(ours.length, a.values.length, sums, leastOverlap);
}
