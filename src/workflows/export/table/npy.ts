/** An array of a `.npy` file: its type in NumPy's words (`<f4`), its shape, and its bytes, little endian, by rows. */
export interface NpyArray {
  readonly name: string;
  readonly descr: string;
  readonly shape: readonly number[];
  readonly data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** The bytes before the data are a multiple of this (numpy.lib.format, version 1.0). */
const ALIGNED = 64;

/** What stands before the data of an array. */
export function npyHeader({ descr, shape }: Pick<NpyArray, 'descr' | 'shape'>): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const before = MAGIC.length + 2;
  const length = Math.ceil((before + text.length + 1) / ALIGNED) * ALIGNED - before;
  const size = Buffer.alloc(2);
  size.writeUInt16LE(length);
  return Buffer.concat([MAGIC, size, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

/** Values that are made to bytes at once. */
const AT_ONCE = 2 ** 14;

function* chunks<T>(values: Iterable<T>): Generator<T[]> {
  let some: T[] = [];
  for (const value of values) {
    some.push(value);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** Texts as NumPy's fixed-length strings: UTF-32 little endian, padded with zeros; read without pickle. */
export function npyTexts(name: string, length: number, texts: () => Iterable<string>): NpyArray {
  let longest = 1;
  for (const text of texts()) longest = Math.max(longest, [...text].length);
  const bytes = function* () {
    for (const some of chunks(texts())) {
      const points = new Uint32Array(some.length * longest);
      some.forEach((text, i) => {
        let at = i * longest;
        for (const char of text) points[at++] = char.codePointAt(0)!;
      });
      yield new Uint8Array(points.buffer);
    }
  };
  return { name, descr: `<U${longest}`, shape: [length], data: bytes() };
}

/** Whole numbers as int64. */
export function npyIntegers(name: string, length: number, values: () => Iterable<number>): NpyArray {
  const bytes = function* () {
    for (const some of chunks(values())) yield new Uint8Array(BigInt64Array.from(some, BigInt).buffer);
  };
  return { name, descr: '<i8', shape: [length], data: bytes() };
}
