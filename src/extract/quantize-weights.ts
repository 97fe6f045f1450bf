/** A kernel in 8 bits: value = q * scales[filter]. */
export interface QuantizedKernel {
  /** (filters, inputs, 3, 3), -127..127. */
  readonly q: Int8Array;
  /** One a filter, above 0. */
  readonly scales: Float32Array;
}

/**
 * A kernel (filters first) in 8 bits, symmetric, one scale a filter (1 for zeros): its largest absolute value becomes
 * 127. Jacob et al., arXiv 1712.05877, section 3; per channel as in Krishnamoorthi, arXiv 1806.08342.
 */
export function quantizeKernel(kernel: Float32Array, filters: number): QuantizedKernel {
  const length = kernel.length / filters;
  const scales = new Float32Array(filters);
  const q = new Int8Array(kernel.length);
  for (let f = 0; f < filters; f++) {
    let largest = 0;
    for (let i = f * length; i < (f + 1) * length; i++) largest = Math.max(largest, Math.abs(kernel[i]!));
    scales[f] = largest === 0 ? 1 : largest / 127;
    for (let i = f * length; i < (f + 1) * length; i++) q[i] = Math.round(kernel[i]! / scales[f]!);
  }
  return { q, scales };
}

/** A bias as 32-bit sums are: one unit is the scale of the input times the scale of the filter. */
export function quantizeBias(bias: Float32Array, units: Float32Array): Int32Array {
  return Int32Array.from(bias, (value, f) => Math.round(value / units[f]!));
}

/**
 * Weights of any shape in 8 bits as quantizeKernel has them, one scale along `axis`, but none below `least`: where the
 * weights of a channel are next to nothing, its bias would not fit into 32 bits of their steps.
 */
export function quantizeAlong(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  least?: Float32Array,
): QuantizedKernel {
  const channels = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const scales = new Float32Array(channels);
  values.forEach((value, i) => (scales[channelOf(i)] = Math.max(scales[channelOf(i)]!, Math.abs(value) / 127)));
  for (let c = 0; c < channels; c++) scales[c] = Math.max(scales[c]!, least?.[c] ?? 0) || 1;
  return { q: Int8Array.from(values, (value, i) => Math.round(value / scales[channelOf(i)]!)), scales };
}

/** The least scales of weights with which these biases fit into 32-bit sums, where a step of the input is `step`. */
export const leastScales = (biases: Float32Array, step: number): Float32Array =>
  biases.map((bias) => Math.abs(bias) / (step * 2 ** 30));
