import { POOLINGS, type Pooling } from './sample.ts';

/** What an extraction keeps where it is not told: `gem` is made of the map that is kept. */
export const DEFAULT_POOLINGS = ['flatten', 'avg', 'max'] as const satisfies readonly Pooling[];

/** What features of one cut can be chosen by a single name. */
export const POOLING_CHOICES = [...POOLINGS, 'avg+max'] as const;
/** A pooling, or `avg+max`: both side by side, of what is stored for each. */
export type PoolingChoice = (typeof POOLING_CHOICES)[number];

/** The poolings that stand side by side in a choice. */
export const poolingsIn = (choice: PoolingChoice): readonly Pooling[] => choice.split('+') as Pooling[];

/** Numbers an image that a cut has in each pooling; in `gem` as many as in `avg`. */
export type PoolingWidths = Readonly<Record<(typeof DEFAULT_POOLINGS)[number], number>>;

export const widthOf = (widths: PoolingWidths, pooling: Pooling): number => widths[pooling === 'gem' ? 'avg' : pooling];

/** The exponent of `gem`, and the least value that it takes: those of Radenovic, Tolias and Chum 2018. */
export const GEM = { exponent: 3, least: 1e-6 } as const;

/**
 * The generalised mean of each channel of a map in NHWC order, mean(max(x, 1e-6)^3)^(1/3) summed in float64, into
 * out[at] ... (Radenovic, Tolias and Chum 2018, equation 3).
 */
export function generalisedMeans(map: Float32Array, channels: number, out: Float32Array, at = 0): void {
  const sums = new Float64Array(channels);
  for (let from = 0; from < map.length;) {
    for (let c = 0; c < channels; c++, from++) {
      const value = Math.max(map[from]!, GEM.least);
      sums[c]! += value * value * value;
    }
  }
  for (let c = 0; c < channels; c++) out[at + c] = Math.cbrt((sums[c]! * channels) / map.length);
}
