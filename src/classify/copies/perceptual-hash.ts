import { SKETCH_BYTES, SKETCH_SIDE } from '../../core/sketch.ts';

/** Frequencies of an axis that count: 8 x 8 bits. */
const FREQUENCIES = 8;
const HASH_BITS = FREQUENCIES * FREQUENCIES;

/**
 * Cosines of the DCT-II in parts of 2^14, so that all sums are whole and below 2^53: the same bits on every machine.
 */
const COSINES = Array.from({ length: FREQUENCIES }, (_, k) =>
  Int32Array.from({ length: SKETCH_SIDE }, (_, x) =>
    Math.round(2 ** 14 * Math.cos((Math.PI * k * (2 * x + 1)) / (2 * SKETCH_SIDE))),
  ),
);

/**
 * 64-bit hashes of n pictures, two words each, the first bit the highest of the first word; and of their mirror images.
 */
export interface PerceptualHashes {
  readonly rows: number;
  readonly hashes: Uint32Array;
  readonly mirrored: Uint32Array;
}

/** The lowest frequencies of a sketch, those down in rows, those across in columns. */
function frequenciesOf(sketch: Uint8Array): Float64Array {
  const across = new Float64Array(SKETCH_SIDE * FREQUENCIES);
  for (let y = 0; y < SKETCH_SIDE; y++)
    for (let k = 0; k < FREQUENCIES; k++) {
      let sum = 0;
      for (let x = 0; x < SKETCH_SIDE; x++) sum += COSINES[k]![x]! * sketch[y * SKETCH_SIDE + x]!;
      across[y * FREQUENCIES + k] = sum;
    }
  const found = new Float64Array(HASH_BITS);
  for (let v = 0; v < FREQUENCIES; v++)
    for (let k = 0; k < FREQUENCIES; k++) {
      let sum = 0;
      for (let y = 0; y < SKETCH_SIDE; y++) sum += COSINES[v]![y]! * across[y * FREQUENCIES + k]!;
      found[v * FREQUENCIES + k] = sum;
    }
  return found;
}

/** Bit by bit whether a frequency lies above the median of all. */
function writeBits(frequencies: Float64Array, words: Uint32Array, at: number): void {
  const sorted = frequencies.slice().sort();
  const median = (sorted[HASH_BITS / 2 - 1]! + sorted[HASH_BITS / 2]!) / 2;
  for (let word = 0; word < 2; word++) {
    let bits = 0;
    for (let i = 0; i < 32; i++) bits = (bits << 1) | (frequencies[word * 32 + i]! > median ? 1 : 0);
    words[at + word] = bits;
  }
}

/**
 * The DCT hash of each sketch, bit for bit what the Python package imagehash calls `phash` of the same 32 x 32 pixels
 * (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"). Mirrored, frequencies that are
 * odd across change their sign.
 */
export function perceptualHashes(sketches: readonly Uint8Array[]): PerceptualHashes {
  const rows = sketches.length;
  const [hashes, mirrored] = [new Uint32Array(2 * rows), new Uint32Array(2 * rows)];
  for (const [i, sketch] of sketches.entries()) {
    if (sketch.length !== SKETCH_BYTES)
      throw new RangeError(`A sketch has ${SKETCH_BYTES} bytes, not ${sketch.length}.`);
    const frequencies = frequenciesOf(sketch);
    writeBits(frequencies, hashes, 2 * i);
    writeBits(
      frequencies.map((value, at) => (at % 2 === 1 ? -value : value)),
      mirrored,
      2 * i,
    );
  }
  return { rows, hashes, mirrored };
}

/** Bits that are set in 32. */
function bitCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** In how many bits hash a of `one` differs from hash b of `other`, 0 to 64. */
export const hashDistance = (one: Uint32Array, a: number, other: Uint32Array, b: number): number =>
  bitCount(one[2 * a]! ^ other[2 * b]!) + bitCount(one[2 * a + 1]! ^ other[2 * b + 1]!);
