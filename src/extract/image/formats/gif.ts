import { PermafrostError } from '../../../core/errors.ts';
import { gifPixels } from './gif-lzw.ts';
import { convert, type Conversion } from './samples.ts';
import type { Colour, GifFrame, Special } from './special.ts';

const [EXTENSION, IMAGE, TRAILER] = [0x21, 0x2c, 0x3b];
const GRAPHIC_CONTROL = 0xf9;
const HAS_TABLE = 0x80;
const IS_TRANSPARENT = 1;

/** The place behind sub-blocks that begin at `at`; undefined where they are cut off. */
function afterBlocks(bytes: Uint8Array, at: number): number | undefined {
  for (let next = at; next < bytes.length;) {
    const length = bytes[next]!;
    next += 1 + length;
    if (length === 0) return next;
  }
  return undefined;
}

/**
 * Finds the first frame (GIF89a, sections 18 to 23); undefined for other bytes, and where it is cut off. Throws
 * IMAGE_UNDECODABLE where its data end early.
 */
function firstGifFrame(bytes: Uint8Array): GifFrame | undefined {
  if (bytes.length < 13 || !/^GIF8[79]a$/.test(String.fromCharCode(...bytes.subarray(0, 6)))) return undefined;
  const number = (at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
  const tableAfter = (flags: number, at: number): Uint8Array | undefined =>
    (flags & HAS_TABLE) === 0 ? undefined : bytes.subarray(at, at + 3 * 2 ** ((flags & 7) + 1));
  let table = tableAfter(bytes[10]!, 13);
  const controls: number[] = [];
  let transparent: number | undefined;
  for (let at = 13 + (table?.length ?? 0); at < bytes.length;) {
    if (bytes[at] === EXTENSION) {
      if (bytes[at + 1] === GRAPHIC_CONTROL && bytes[at + 2]! >= 4) {
        controls.push(at + 3);
        if ((bytes[at + 3]! & IS_TRANSPARENT) !== 0) transparent = bytes[at + 6]!;
      }
      const next = afterBlocks(bytes, at + 2);
      if (next === undefined) return undefined;
      at = next;
    } else if (bytes[at] === IMAGE) {
      const own = tableAfter(bytes[at + 9]!, at + 10);
      table = own ?? table;
      const end = afterBlocks(bytes, at + 11 + (own?.length ?? 0));
      if (end === undefined) return undefined;
      const colour = (index: number): Colour => {
        if (table === undefined) return [index, index, index];
        const from = 3 * index + 3 > table.length ? 0 : 3 * index;
        return [table[from]!, table[from + 1]!, table[from + 2]!];
      };
      const [left, top, width, height] = [1, 3, 5, 7].map((offset) => number(at + offset)) as [
        number,
        number,
        number,
        number,
      ];
      const all = width * height;
      const pixels = gifPixels(bytes, at + 10 + (own?.length ?? 0), all);
      if (pixels < all)
        throw new PermafrostError(
          'IMAGE_UNDECODABLE',
          `It is damaged: its first frame has ${all} pixels, and ${pixels} of them can be read.`,
        );
      const fills = left === 0 && top === 0 && width >= number(6) && height >= number(8);
      return {
        end,
        hasMore: end < bytes.length && bytes[end] !== TRAILER,
        controls,
        isVeiled: transparent !== undefined,
        ...{ left, top, width, height, fills },
        around: colour(transparent ?? 0),
      };
    } else if (bytes[at] === 0) {
      at++; // Pillow and browsers step over zeros between blocks.
    } else return undefined;
  }
  return undefined;
}

/** What is special about a GIF: more than one frame, or colours that are not seen. */
export function gifSpecial(bytes: Uint8Array): Special | undefined {
  const frame = firstGifFrame(bytes);
  if (frame === undefined) return undefined;
  const isPlain = !frame.hasMore && !frame.isVeiled && frame.fills;
  return isPlain ? undefined : { samples: { kind: 'gif', frame } };
}

/**
 * A GIF of the first frame alone, so that nothing behind it can spoil it; with `unveil` nothing is transparent in it,
 * and the colours of the palette show.
 */
export function gifOfOneFrame(bytes: Uint8Array, { end, hasMore, controls }: GifFrame, unveil: boolean): Uint8Array {
  if (!hasMore && !unveil) return bytes;
  const cut = new Uint8Array(end + 1);
  cut.set(bytes.subarray(0, end));
  cut[end] = TRAILER;
  if (unveil) for (const at of controls) cut[at]! &= ~IS_TRANSPARENT;
  return cut;
}

/** The colours of the palette, and `around` where the frame leaves the picture free: the library has black there. */
export function filledGif({ left, top, width, height }: GifFrame, around: Colour): Conversion {
  return {
    space: 'srgb',
    depth: 'uchar',
    toRgb(samples) {
      let [x, y] = [0, 0];
      return convert(samples, (data, from, out, to) => {
        const isFree = x < left || x >= left + width || y < top || y >= top + height;
        for (let c = 0; c < 3; c++) out[to + c] = isFree ? around[c]! : data[from + c]!;
        if (++x === samples.width) [x, y] = [0, y + 1];
      });
    },
  };
}
