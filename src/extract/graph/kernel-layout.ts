/**
 * A convolution kernel from Keras' order (3, 3, inputs, filters) to ONNX's (filters, inputs, 3, 3), copied.
 * `reverseInputs` lets a layer trained on BGR read RGB.
 */
export function kernelToOnnx(hwio: Float32Array, inputs: number, filters: number, reverseInputs = false): Float32Array {
  const out = new Float32Array(hwio.length);
  for (let tap = 0; tap < 9; tap++) {
    for (let i = 0; i < inputs; i++) {
      const from = (tap * inputs + (reverseInputs ? inputs - 1 - i : i)) * filters;
      for (let o = 0; o < filters; o++) out[(o * inputs + i) * 9 + tap] = hwio[from + o]!;
    }
  }
  return out;
}

/** A convolution kernel from Keras' order (3, 3, inputs, filters) to (3, 3, filters, inputs), copied. */
export function kernelByTap(hwio: Float32Array, inputs: number, filters: number): Float32Array {
  const out = new Float32Array(hwio.length);
  for (let tap = 0; tap < 9; tap++) {
    const start = tap * inputs * filters;
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < filters; o++) out[start + o * inputs + i] = hwio[start + i * filters + o]!;
    }
  }
  return out;
}
