import { undecodable, type OwnFormat, type OwnPixels } from './own-format.ts';

/** The beginning of a PBM (P1, P4), PGM (P2, P5) or PPM (P3, P6), read. */
interface PnmHeader {
  readonly width: number;
  readonly height: number;
  /** Samples of a pixel: 1 or 3. */
  readonly channels: number;
  /** True where a pixel is a bit, and 1 is black. */
  readonly isBits: boolean;
  /** True where numbers are written as text. */
  readonly isPlain: boolean;
  /** The value of white, 1 to 65,535. */
  readonly top: number;
  readonly dataAt: number;
}

const [HASH, CR, LF] = [0x23, 0x0d, 0x0a];
const isBlank = (byte: number | undefined): boolean => byte === 0x20 || (byte! >= 0x09 && byte! <= 0x0d);
const isDigit = (byte: number | undefined): boolean => byte! >= 0x30 && byte! <= 0x39;
const cutOff = (name: string): never =>
  undecodable(`The ${name} is cut off: it has fewer samples than its pixels need.`);

/** Where a comment that begins at `at` ends: behind its line. */
function skipComment(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== CR && bytes[at] !== LF) at++;
  return at + 1;
}

/** Walks over what stands between two numbers. */
function skipBlanks(bytes: Uint8Array, at: number): number {
  while (at < bytes.length) {
    if (bytes[at] === HASH) at = skipComment(bytes, at);
    else if (isBlank(bytes[at])) at++;
    else break;
  }
  return at;
}

const nameOf = (kind: number): string => ['PPM', 'PBM', 'PGM'][kind % 3]!;

function readHeader(bytes: Uint8Array): PnmHeader {
  const kind = bytes[1]! - 0x30;
  const name = nameOf(kind);
  let at = 2;
  /** The next number; the one byte behind it is read too, and a comment in its place to the end of its line. */
  const number = (what: string, most: number): number => {
    at = skipBlanks(bytes, at);
    const from = at;
    while (isDigit(bytes[at]) && at - from <= 10) at++;
    const text = new TextDecoder('latin1').decode(bytes.subarray(from, at));
    if (bytes[at] === HASH) at = skipComment(bytes, at);
    else if (isBlank(bytes[at])) at++;
    else undecodable(`${name} whose ${what} is no number of its own.`);
    const value = Number(text);
    if (text === '' || value < 1 || value > most) undecodable(`${name} with the ${what} ${text || '""'}.`);
    return value;
  };
  const width = number('width', 2 ** 31);
  const height = number('height', 2 ** 31);
  const isBits = kind === 1 || kind === 4;
  const top = isBits ? 1 : number('largest value', 65_535);
  return { width, height, channels: kind % 3 === 0 ? 3 : 1, isBits, isPlain: kind < 4, top, dataAt: at };
}

/** Calls `take` with each of `count` numbers of a plain PGM or PPM. */
function readNumbers(
  bytes: Uint8Array,
  { dataAt, top }: PnmHeader,
  count: number,
  take: (value: number) => void,
): void {
  const name = nameOf(bytes[1]! - 0x30);
  let at = dataAt;
  for (let i = 0; i < count; i++) {
    at = skipBlanks(bytes, at);
    if (at >= bytes.length) cutOff(name);
    let value = 0;
    const from = at;
    for (; isDigit(bytes[at]); at++) value = value * 10 + bytes[at]! - 0x30;
    const isEnded = at === bytes.length || isBlank(bytes[at]) || bytes[at] === HASH;
    if (at === from || !isEnded) undecodable(`${name} with something other than numbers among its samples.`);
    if (value > top) undecodable(`${name} with the sample ${value} above its largest value ${top}.`);
    take(value);
  }
}

/** The samples of bits as 0 (written 1, black) and 255. */
function readBits(
  bytes: Uint8Array,
  { width, height, isPlain, dataAt }: PnmHeader,
  take: (grey: number) => void,
): void {
  if (isPlain) {
    let at = dataAt;
    for (let i = 0; i < width * height; i++) {
      at = skipBlanks(bytes, at);
      if (at >= bytes.length) cutOff('PBM');
      if (bytes[at] !== 0x30 && bytes[at] !== 0x31) undecodable('PBM with something other than 0 and 1 in it.');
      take(bytes[at++] === 0x31 ? 0 : 255);
    }
    return;
  }
  const stride = Math.ceil(width / 8);
  if (dataAt + stride * height > bytes.length) cutOff('PBM');
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) take((bytes[dataAt + y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1 ? 0 : 255);
  }
}

/** Levels of 0 to `top`, for which `white` stands: to the nearest, halves to even, cut off at 255. */
function levelsOf(top: number, white: number): Uint8ClampedArray {
  // Uint8ClampedArray rounds and cuts off in this way.
  return Uint8ClampedArray.from({ length: top + 1 }, (_, value) => (value / top) * white);
}

function pixels(bytes: Uint8Array, asPillow: boolean): OwnPixels {
  const header = readHeader(bytes);
  const { width, height, channels, isBits, isPlain, top, dataAt } = header;
  const data = new Uint8Array(width * height * 3);
  const count = width * height * channels;
  let o = 0;
  const take = (level: number): void => {
    data[o++] = level;
    if (channels === 3) return;
    data[o++] = level;
    data[o++] = level;
  };
  if (isBits) {
    readBits(bytes, header, take);
  } else {
    // Pillow makes 16 bits of such grey, and cuts them off at 255.
    const levels = levelsOf(top, asPillow && channels === 1 && top > 255 ? 65_535 : 255);
    if (isPlain) readNumbers(bytes, header, count, (value) => take(levels[value]!));
    else {
      const step = top > 255 ? 2 : 1;
      if (dataAt + count * step > bytes.length) cutOff(nameOf(bytes[1]! - 0x30));
      for (let i = 0, at = dataAt; i < count; i++, at += step) {
        const value = step === 1 ? bytes[at]! : bytes[at]! * 256 + bytes[at + 1]!;
        take(levels[Math.min(value, top)]!);
      }
    }
  }
  return { data, width, height, channels: 3 };
}

/**
 * PBM, PGM and PPM (netpbm.sourceforge.net/doc), plain and binary, 1 to 16 bits a sample, to Pillow's pixels of 8 bits;
 * grey of more than 8 bits is scaled unless it is to be as Pillow makes it, all but white. No kept library reads all.
 */
export const PNM: OwnFormat = {
  name: 'PNM',
  extension: '.pnm',
  isOne: (bytes) =>
    bytes[0] === 0x50 && bytes[1]! >= 0x31 && bytes[1]! <= 0x36 && (isBlank(bytes[2]) || bytes[2] === HASH),
  header(bytes) {
    const { width, height, channels, top } = readHeader(bytes);
    const plain = { width, height, orientation: 1, hasAlpha: false };
    return channels === 1 && top > 255 ? { ...plain, special: { samples: { kind: 'grey16' } } } : plain;
  },
  pixels,
};
