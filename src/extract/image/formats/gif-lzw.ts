/** Longest code of GIF's LZW, in bits, and so the most entries of its table. */
const MOST_BITS = 12;

/**
 * How many pixels the compressed data from `at` on (the byte "minimum code size") stand for, counted up to `most`; less
 * where the data end early or hold a code that has no meaning. GIF89a, appendix F. Nothing is decompressed.
 */
export function gifPixels(bytes: Uint8Array, at: number, most: number): number {
  const rootBits = bytes[at]!;
  if (!(rootBits >= 1 && rootBits < MOST_BITS)) return 0;
  const [clear, end] = [2 ** rootBits, 2 ** rootBits + 1];
  /** Pixels that a code stands for. */
  const lengths = new Int32Array(2 ** MOST_BITS).fill(1, 0, clear);
  let [next, size, previous] = [end + 1, rootBits + 1, -1];
  let [buffer, buffered, pixels] = [0, 0, 0];
  for (let block = at + 1; block < bytes.length && bytes[block] !== 0; block += 1 + bytes[block]!) {
    for (let i = block + 1; i <= block + bytes[block]! && i < bytes.length; i++) {
      buffer |= bytes[i]! << buffered;
      buffered += 8;
      while (buffered >= size) {
        const code = buffer & ((1 << size) - 1);
        buffer >>>= size;
        buffered -= size;
        if (code === end) return pixels;
        if (code === clear) {
          [next, size, previous] = [end + 1, rootBits + 1, -1];
          continue;
        }
        if (code > next || (previous < 0 && code >= clear)) return pixels;
        if (previous >= 0 && next < lengths.length) {
          lengths[next++] = lengths[previous]! + 1;
          if (next === 1 << size && size < MOST_BITS) size++;
        } else if (code >= next) return pixels;
        pixels += lengths[code]!;
        if (pixels >= most) return most;
        previous = code;
      }
    }
  }
  return pixels;
}
