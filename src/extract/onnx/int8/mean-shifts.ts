import type { QuantizedKernel } from '../../quantize-weights.ts';
import type { Product } from './quantization-plan.ts';

/**
 * What rounding the weights adds to each output channel of a product on average, where its input channels have these
 * means: the part of the error that is the same for all images, and most of it behind a ReLU. A bias without it mends
 * that (Nagel et al., arXiv 1906.04721, section 4.2). At the border of a map padding makes the mean smaller.
 */
export function meanShifts(
  { weight: { dims }, axis }: Product,
  values: Float32Array,
  { q, scales }: QuantizedKernel,
  means: readonly number[],
): Float32Array {
  const outputs = dims[axis]!;
  const shifts = new Float32Array(outputs);
  // Of a Conv (outputs, inputs of a group, ...window), of a matrix (inputs, outputs) or (outputs, inputs).
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const [inputs, window] = axis === 0 ? [dims[1]!, inner / dims[1]!] : [dims[0]!, 1];
  const perGroup = outputs / (means.length / inputs);
  values.forEach((value, i) => {
    const output = Math.floor(i / inner) % outputs;
    const input = axis === 0 ? Math.floor(i / window) % inputs : Math.floor(i / outputs);
    const mean = means[Math.floor(output / perGroup) * inputs + input]!;
    shifts[output]! += (q[i]! * scales[output]! - value) * mean;
  });
  return shifts;
}
