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
