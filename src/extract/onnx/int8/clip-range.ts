import type { Histogram } from './histogram.ts';
import type { Bounds } from './quantization-plan.ts';

/** Ends of a range that are tried: so many parts of the largest value, and of the least. */
const PARTS = 128;

/** Sums over the values beyond each bin: what is cut off at an end of the range costs. */
interface Beyond {
  /** Sum of squared distances of the values beyond `end` to it, and how many they are. */
  at(end: number): { readonly squares: number; readonly count: number };
}

/** The values on one side of 0, by their distance to it. */
function beyond({ counts, centre }: Histogram, side: 1 | -1): Beyond {
  const half = counts.length / 2;
  const distances = new Float64Array(half);
  const sums = [0, 1, 2].map(() => new Float64Array(half + 1)) as [Float64Array, Float64Array, Float64Array];
  for (let i = half - 1; i >= 0; i--) {
    const bin = side === 1 ? half + i : half - 1 - i;
    distances[i] = side * centre(bin);
    sums.forEach((sum, power) => (sum[i] = sum[i + 1]! + counts[bin]! * distances[i]! ** power));
  }
  return {
    at(end) {
      const first = Math.max(0, Math.min(half, Math.ceil(end / (distances[0]! * 2) - 0.5)));
      const [count, sum, squares] = sums.map((values) => values[first]!) as [number, number, number];
      return { squares: squares - 2 * end * sum + end * end * count, count };
    },
  };
}

/**
 * The range of 8 unsigned bits that loses least of a tensor's values: the least sum of squared errors, of what lies
 * beyond and is cut off, and of what lies within and is rounded (a twelfth of the squared step each; 0 is a step).
 * Banner, Nahshon and Soudry, arXiv 1810.05723, choose the ends so, of a distribution; here it is what was counted.
 */
export function clipRange(values: Histogram): Bounds {
  const { min, max, counts } = values;
  if (min === max) return { min, max };
  const all = counts.reduce((sum, count) => sum + count, 0);
  const [above, below] = [beyond(values, 1), beyond(values, -1)];
  const ends = (largest: number): readonly number[] =>
    largest === 0 ? [0] : Array.from({ length: PARTS }, (_, i) => (largest * (PARTS - i)) / PARTS);
  const lows = ends(-min).map((end) => ({ end, ...below.at(end) }));
  let best = { error: Infinity, min, max };
  for (const high of ends(max)) {
    const { squares, count } = above.at(high);
    for (const low of lows) {
      const step = (high + low.end) / 255;
      const error = squares + low.squares + ((all - count - low.count) * (step * step)) / 12;
      if (error < best.error) best = { error, min: 0 - low.end, max: high };
    }
  }
  return { min: best.min, max: best.max };
}
