/** Largest finite float16 (IEEE 754 binary16). */
export const FLOAT16_MAX = 65504;

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** By a float32's 9 bits of sign and exponent: those of its float16, and the right shift of the mantissa. */
const BASE = new Uint16Array(512);
const SHIFT = new Uint8Array(512);
for (let i = 0; i < 256; i++) {
  const exponent = i - 127;
  let [base, shift] = [0x7c00, 0]; // too large: infinity
  if (exponent < -25)
    [base, shift] = [0, 0]; // below half of the smallest subnormal, 2^-24: zero
  else if (exponent < -14)
    [base, shift] = [0, -exponent - 1]; // subnormal
  else if (exponent <= 15) [base, shift] = [(exponent + 15) << 10, 13];
  BASE[i] = base;
  BASE[i | 0x100] = base | 0x8000;
  SHIFT[i] = SHIFT[i | 0x100] = shift;
}

/** float32 to float16 bits, ties to even, into `out` from `offset`. Returns how many finite values became infinite. */
export function encodeFloat16(values: Float32Array, out: Uint16Array, offset = 0): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let overflows = 0;
  for (let i = 0; i < bits.length; i++) {
    const f = bits[i]!;
    const index = f >>> 23;
    const shift = SHIFT[index]!;
    const mantissa = f & 0x7fffff;
    let half: number;
    if ((index & 0xff) === 0xff) {
      half = BASE[index]! | (mantissa === 0 ? 0 : 0x200); // infinity and NaN stay what they are
    } else if (shift === 0) {
      half = BASE[index]!;
      if ((half & 0x7c00) === 0x7c00) overflows++;
    } else {
      const full = shift === 13 ? mantissa : mantissa | 0x800000;
      const rest = full & ((1 << shift) - 1);
      const tie = 1 << (shift - 1);
      half = BASE[index]! + (full >>> shift);
      if (rest > tie || (rest === tie && (half & 1) === 1)) half++; // a carry runs into the exponent, as it should
      if ((half & 0x7fff) === 0x7c00) overflows++;
    }
    out[offset + i] = half;
  }
  return overflows;
}

let table: Float32Array | undefined;

/** float32 of each of the 65,536 float16 bit patterns (IEEE 754 binary16), made on first use. */
function decodeTable(): Float32Array {
  if (table !== undefined) return table;
  table = new Float32Array(65536);
  for (let h = 0; h < 65536; h++) {
    const exponent = (h >>> 10) & 0x1f;
    const mantissa = h & 0x3ff;
    const sign = (h & 0x8000) << 16;
    if (exponent === 0x1f) bitsView[0] = sign | 0x7f800000 | (mantissa << 13);
    else if (exponent === 0) floatView[0] = (sign < 0 ? -1 : 1) * mantissa * 2 ** -24;
    else bitsView[0] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    table[h] = floatView[0]!;
  }
  return table;
}

/** float16 bits times `scale` to float32 into `out` from `offset`; exact for a scale of 1. */
export function decodeFloat16(halves: Uint16Array, out: Float32Array, offset = 0, scale = 1): void {
  const floats = decodeTable();
  for (let i = 0; i < halves.length; i++) out[offset + i] = floats[halves[i]!]! * scale;
}
