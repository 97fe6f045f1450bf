import { PermafrostError } from '../../../core/errors.ts';

/** Bins of a histogram, the same number on both sides of 0: 32 KiB a tensor on each side. */
const BINS = 8192;

/** How often values lie where, of a tensor over many images. */
export interface Histogram {
  /** Adds the values of one image. Throws ENGINE_FAILED where one is not finite. */
  add(values: Float32Array): void;
  /** The least and the largest value, and 0. */
  readonly min: number;
  readonly max: number;
  /** How many values are not exactly 0, by bin: bin i is around `centre(i)`. */
  readonly counts: Float64Array;
  centre(bin: number): number;
}

/**
 * An empty histogram. Its bins reach from -r to r, r a power of two, and are joined in pairs where a value lies beyond:
 * what it counts depends on the values alone, whatever their order. A bin is at most 1/2048 of the largest value wide.
 */
export function histogram(tensor: string): Histogram {
  let counts = new Float64Array(BINS);
  let reach = 0;
  let [min, max] = [0, 0];

  function widen(largest: number): void {
    const wanted = 2 ** Math.ceil(Math.log2(largest));
    for (; reach > 0 && reach < wanted; reach *= 2) {
      const joined = new Float64Array(BINS);
      counts.forEach((count, bin) => (joined[(bin >> 1) + BINS / 4]! += count));
      counts = joined;
    }
    reach = Math.max(reach, wanted);
  }

  return {
    get min() {
      return min;
    },
    get max() {
      return max;
    },
    get counts() {
      return counts;
    },
    centre: (bin) => ((2 * bin + 1) / BINS - 1) * reach,
    add(values) {
      let [least, most] = [min, max];
      let sum = 0;
      for (const value of values) {
        if (value < least) least = value;
        else if (value > most) most = value;
        sum += value;
      }
      const largest = Math.max(most, -least);
      if (!Number.isFinite(sum)) {
        throw new PermafrostError(
          'ENGINE_FAILED',
          `int8 cannot be calibrated: "${tensor}" has values that are not finite on one of the images. Take --precision fp32.`,
        );
      }
      [min, max] = [least, most];
      if (largest > reach) widen(largest);
      if (largest === 0) return;
      const [scale, last] = [BINS / 2 / reach, BINS - 1];
      for (const value of values) {
        if (value === 0) continue;
        const bin = Math.floor(value * scale) + BINS / 2;
        counts[bin > last ? last : bin]!++;
      }
    },
  };
}
