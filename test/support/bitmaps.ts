/** What a BMP is made of; numbers of the headers that are not given are 0. */
export interface Bitmap {
  readonly width: number;
  /** Negative where the first line is the uppermost. */
  readonly height: number;
  readonly bits: number;
  /** Bytes of the second header: 12, 40, 56, 108 or 124; default 40. */
  readonly headerSize?: number;
  readonly compression?: number;
  readonly masks?: readonly number[];
  /** Red, green, blue of each index. */
  readonly palette?: readonly (readonly number[])[];
  /** The lines as they lie in the file, with padding. */
  readonly data: readonly number[];
}

/** The bytes of a BMP as Windows writes it. */
export function bmpFile({
  width,
  height,
  bits,
  headerSize = 40,
  compression = 0,
  masks = [],
  palette = [],
  data,
}: Bitmap) {
  const step = headerSize === 12 ? 3 : 4;
  const maskBytes = headerSize === 40 ? masks.length * 4 : 0;
  const dataAt = 14 + headerSize + maskBytes + palette.length * step;
  const file = Buffer.alloc(dataAt + data.length);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(dataAt, 10);
  file.writeUInt32LE(headerSize, 14);
  if (headerSize === 12) {
    [width, height, 1, bits].forEach((value, i) => file.writeUInt16LE(value, 18 + i * 2));
  } else {
    file.writeInt32LE(width, 18);
    file.writeInt32LE(height, 22);
    file.writeUInt16LE(1, 26);
    file.writeUInt16LE(bits, 28);
    file.writeUInt32LE(compression, 30);
    file.writeUInt32LE(palette.length, 46);
    masks.forEach((mask, i) => file.writeUInt32LE(mask, 54 + i * 4));
  }
  palette.forEach(([r, g, b], i) => file.set([b!, g!, r!], dataAt - (palette.length - i) * step));
  file.set(data, dataAt);
  return file;
}
