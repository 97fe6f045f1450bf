import type { Grey } from './grey.ts';
import { eachMapped, likeness, type Affine, type Likeness } from './warp.ts';

/** Least share of a picture that a copy shows: a fifth cut off each side leaves 0.64. */
const LEAST_OVERLAP = 0.5;

const MOST_STEPS = 8;
/** A step that gains less is the last one. */
const LEAST_GAIN = 5e-4;
/** Unknowns of a step: the six of the map, gain and offset of the grey values. */
const UNKNOWNS = 8;

/** Whether a copy may be so placed: larger or smaller by half at most, turned by 9 degrees at most. */
function isPlausible([xx, xy, , yx, yy]: Affine): boolean {
  const [small, large] = xx < yy ? [xx, yy] : [yy, xx];
  return small > 0.65 && large < 1.5 && large / small < 1.2 && Math.abs(xy) < 0.15 && Math.abs(yx) < 0.15;
}

/** The solution of M x = g, M symmetric and positive definite, by elimination in place; undefined where it is not. */
function solved(M: Float64Array, g: Float64Array): Float64Array | undefined {
  const n = g.length;
  for (let i = 0; i < n; i++) {
    const pivot = M[i * n + i]!;
    if (!(pivot > 1e-9)) return undefined;
    for (let r = i + 1; r < n; r++) {
      const factor = M[r * n + i]! / pivot;
      for (let c = i; c < n; c++) M[r * n + c]! -= factor * M[i * n + c]!;
      g[r]! -= factor * g[i]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let c = i + 1; c < n; c++) g[i]! -= M[i * n + c]! * g[c]!;
    g[i]! /= M[i * n + i]!;
  }
  return g;
}

/**
 * One step of Gauss and Newton for sum (b(map(x)) - gain a(x) - offset)² over the pixels x of `a`, with the slopes of
 * `b` (Lucas and Kanade 1981): the map after it.
 */
function step(a: Grey, b: Grey, map: Affine): Affine | undefined {
  const { side } = a;
  const M = new Float64Array(UNKNOWNS * UNKNOWNS);
  const g = new Float64Array(UNKNOWNS);
  const slopes = new Float64Array(UNKNOWNS);
  eachMapped(side, map, (pixel, u, v, at, right, down) => {
    const [p, q, r, s] = [b.values[at]!, b.values[at + 1]!, b.values[at + side]!, b.values[at + side + 1]!];
    const across = (q - p) * (1 - down) + (s - r) * down;
    const along = (r - p) * (1 - right) + (s - q) * right;
    slopes.set([across * u, across * v, across, along * u, along * v, along, -a.values[pixel]!, -1]);
    const value = (p * (1 - right) + q * right) * (1 - down) + (r * (1 - right) + s * right) * down;
    for (let i = 0; i < UNKNOWNS; i++) {
      g[i]! -= slopes[i]! * value;
      for (let j = 0; j <= i; j++) M[i * UNKNOWNS + j]! += slopes[i]! * slopes[j]!;
    }
  });
  for (let i = 0; i < UNKNOWNS; i++) {
    M[i * UNKNOWNS + i]! *= 1 + 1e-4; // damped: a picture may have no slope in some direction
    for (let j = 0; j < i; j++) M[j * UNKNOWNS + i] = M[i * UNKNOWNS + j]!;
  }
  const change = solved(M, g);
  if (change === undefined) return undefined;
  return map.map((value, i) => value + change[i]!) as unknown as Affine;
}

/** The best map near `start`, and how alike two pictures are under it. */
export function refine(a: Grey, b: Grey, start: Affine): Likeness & { readonly map: Affine } {
  let map = start;
  let best = likeness(a, b, map, LEAST_OVERLAP);
  for (let i = 0; i < MOST_STEPS; i++) {
    const next = step(a, b, map);
    if (next === undefined || !isPlausible(next)) break;
    const found = likeness(a, b, next, LEAST_OVERLAP);
    const gain = found.correlation - best.correlation;
    if (gain > 0) [best, map] = [found, next];
    if (gain < LEAST_GAIN) break;
  }
  return { ...best, map };
}
