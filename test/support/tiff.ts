/** Tags of a TIFF by number; the type is SHORT, or what `RATIONAL` and `LONG` say. */
export type TiffTags = Readonly<Record<number, readonly number[]>>;

const RATIONALS: readonly number[] = [529, 532];
const LONGS: readonly number[] = [273, 279];
const [SHORT, LONG, RATIONAL] = [3, 4, 5];

/** A TIFF of one strip, with these samples as they lie, in either order of bytes. */
export function tiff(
  width: number,
  height: number,
  samples: Buffer,
  tags: TiffTags,
  order: 'II' | 'MM' = 'II',
): Buffer {
  const little = order === 'II';
  const all = new Map<number, readonly number[]>(
    Object.entries({
      256: [width],
      257: [height],
      259: [1],
      273: [0],
      277: [1],
      278: [height],
      279: [samples.length],
      ...tags,
    }).map(([tag, values]) => [Number(tag), values]),
  );
  const entries = [...all].sort(([a], [b]) => a - b);
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  const put = (target: Buffer, at: number, value: number, bytes: 2 | 4): void =>
    void (little ? target.writeUIntLE(value, at, bytes) : target.writeUIntBE(value, at, bytes));
  const values: Buffer[] = [];
  let free = 8 + directory.length;
  const place = (value: Buffer): number => {
    values.push(value);
    free += value.length;
    return free - value.length;
  };
  put(directory, 0, entries.length, 2);
  for (const [i, [tag, numbers]] of entries.entries()) {
    const at = 2 + i * 12;
    const type = RATIONALS.includes(tag) ? RATIONAL : LONGS.includes(tag) ? LONG : SHORT;
    const size = { [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8 }[type]!;
    const value = Buffer.alloc(Math.max(4, numbers.length * size));
    for (const [n, number] of numbers.entries()) {
      if (type === RATIONAL) {
        put(value, n * 8, Math.round(number * 10_000), 4);
        put(value, n * 8 + 4, 10_000, 4);
      } else put(value, n * size, number, type === SHORT ? 2 : 4);
    }
    put(directory, at, tag, 2);
    put(directory, at + 2, type, 2);
    put(directory, at + 4, numbers.length, 4);
    if (tag === 273) continue;
    if (value.length <= 4) value.copy(directory, at + 8);
    else put(directory, at + 8, place(value), 4);
  }
  put(directory, 2 + entries.findIndex(([tag]) => tag === 273) * 12 + 8, free, 4);
  const head = Buffer.alloc(8);
  head.write(order, 'latin1');
  put(head, 2, 42, 2);
  put(head, 4, 8, 4);
  return Buffer.concat([head, directory, ...values, samples]);
}
