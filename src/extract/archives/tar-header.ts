/**
 * One header of a tar archive, as POSIX.1-2017 ("pax", ustar Interchange Format) and the manual of GNU tar ("Basic Tar
 * Format") define it. Names are bytes: which characters they are is not said.
 */
export interface TarHeader {
  readonly name: Buffer;
  /** What a link points to. */
  readonly target: Buffer;
  /** Bytes of the content, which begins right behind the header. */
  readonly size: number;
  /** The type's one character; '0' for a file in archives from before POSIX too. */
  readonly type: string;
}

/** Headers and contents begin at multiples of it. */
export const BLOCK_BYTES = 512;

const CHECKSUM = { start: 148, end: 156 } as const;

export const isZero = (block: Buffer): boolean => block.every((byte) => byte === 0);

/** The bytes of a field up to the first NUL. */
function text(block: Buffer, start: number, end: number): Buffer {
  const field = block.subarray(start, end);
  const nul = field.indexOf(0);
  return nul < 0 ? field : field.subarray(0, nul);
}

/** A number: octal digits between blanks or NULs, or in base 256 where the first bit is set (GNU). */
function number(block: Buffer, start: number, end: number, what: string): number {
  const field = block.subarray(start, end);
  if ((field[0]! & 0x80) === 0) {
    const digits = text(block, start, end).toString('latin1').trim();
    if (!/^[0-7]*$/.test(digits)) throw new Error(`its ${what} is no octal number (${JSON.stringify(digits)})`);
    return digits === '' ? 0 : parseInt(digits, 8);
  }
  const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
  if (!Number.isSafeInteger(value)) throw new Error(`its ${what} is beyond all numbers that are read`);
  return value;
}

/** The sum of a header's bytes, its own field counted as blanks; old programs added signed bytes. */
function checksums(block: Buffer): readonly number[] {
  let [unsigned, signed] = [0, 0];
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = i >= CHECKSUM.start && i < CHECKSUM.end ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  return [unsigned, signed];
}

/** Reads a block of 512 bytes as a header. Throws an Error with the reason where it is none. */
export function parseTarHeader(block: Buffer): TarHeader {
  const sum = number(block, CHECKSUM.start, CHECKSUM.end, 'checksum');
  if (!checksums(block).includes(sum)) throw new Error('its checksum is wrong');
  const name = text(block, 0, 100);
  // "ustar" and a NUL: POSIX, with the first part of a long name. GNU writes blanks there, and other things behind.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? text(block, 345, 500) : Buffer.alloc(0);
  const type = block.toString('latin1', 156, 157);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    target: text(block, 157, 257),
    size: number(block, 124, 136, 'size'),
    type: type === '\0' || type === '7' ? '0' : type,
  };
}

/** The records of a pax header: `LENGTH KEY=VALUE` and a line feed each. Throws an Error with the reason. */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : bytes.toString('latin1', at, blank);
    const end = at + (/^\d+$/.test(digits) ? Number(digits) : NaN);
    const equals = bytes.indexOf(0x3d, blank);
    if (!(end <= bytes.length && equals > blank && equals < end && bytes[end - 1] === 0x0a))
      throw new Error('its pax records are damaged');
    found.set(bytes.toString('utf8', blank + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return found;
}
