import { matrix, type Matrix } from './matrix.ts';

/**
 * Features that are read block by block, because all of them together would not fit into memory. The order of the rows
 * is always the same. One reader at a time: a block is valid until the next one is read.
 */
export interface RowSource {
  readonly rows: number;
  readonly cols: number;
  /**
   * The first row of each block, ascending, and `rows` at the end: block b holds rows starts[b] to starts[b + 1],
   * exclusive.
   */
  readonly starts: readonly number[];
  /**
   * Block b, shape (starts[b + 1] - starts[b], cols), float32; with `scales`, one a row of the source, each row times
   * its scale.
   */
  read(block: number, scales?: Float32Array): Promise<Matrix>;
}

export interface RowBlock {
  /** The block's first row. */
  readonly start: number;
  readonly X: Matrix;
}

/** A matrix as a source of one block: the matrix itself, not copied. */
export const wholeSource = (X: Matrix): RowSource => ({
  rows: X.rows,
  cols: X.cols,
  starts: [0, X.rows],
  read: () => Promise.resolve(X),
});

/** Every block of a source in order: one pass. */
export async function* blocksOf(source: RowSource): AsyncGenerator<RowBlock> {
  for (let b = 0; b + 1 < source.starts.length; b++)
    yield { start: source.starts[b]!, X: await source.read(b) };
}

/** Values of a joined block: 16 MiB of float32. */
const JOINED_VALUES = 2 ** 22;

/**
 * The same rows in fewer blocks: neighbouring ones are joined while they have at most `most` values together. For work
 * that costs the same however many rows it is given, as the question to a head that reads all its training rows for
 * each answer.
 */
export function joinedBlocks(source: RowSource, most = JOINED_VALUES): RowSource {
  const { rows, cols } = source;
  /** For each joined block its first one of the source, and the number of all at the end. */
  const firsts: number[] = [];
  const starts: number[] = [];
  source.starts.forEach((start, b) => {
    const end = source.starts[b + 1];
    if (end === undefined || starts.length === 0 || (end - starts.at(-1)!) * cols > most) {
      firsts.push(b);
      starts.push(start);
    }
  });
  const size = (block: number): number => (starts[block + 1]! - starts[block]!) * cols;
  let values: Float32Array<ArrayBuffer> | undefined;
  return {
    rows,
    cols,
    starts,
    async read(block, scales) {
      const [first, end] = [firsts[block]!, firsts[block + 1]!];
      if (end - first === 1) return source.read(first, scales);
      values ??= new Float32Array(Math.min(most, rows * cols));
      const joined = values.subarray(0, size(block));
      for (let b = first; b < end; b++)
        joined.set((await source.read(b, scales)).data, (source.starts[b]! - starts[block]!) * cols);
      return matrix(starts[block + 1]! - starts[block]!, cols, joined);
    },
  };
}
