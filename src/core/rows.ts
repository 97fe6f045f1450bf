import { matrix, row, stacked, type Matrix } from './matrix.ts';

/**
 * Features in blocks, always in the same order: one block in memory, or many that are read from a store. One reader at
 * a time: a block is valid until the next one is read.
 */
export interface Rows {
  readonly rows: number;
  readonly cols: number;
  /** The first row of each block, ascending, and `rows` at the end. */
  readonly starts: readonly number[];
  /** All rows, where they are one block in memory: `read` gives this matrix, and nobody may write into it. */
  readonly matrix?: Matrix;
  /**
   * Block b, shape (starts[b + 1] - starts[b], cols), float32; with `scales`, one a row of all, each row times its
   * scale. Where there is no `matrix` the reader may write into the block.
   */
  read(block: number, scales?: Float32Array): Promise<Matrix>;
}

export interface RowBlock {
  /** The block's first row. */
  readonly start: number;
  readonly X: Matrix;
}

/** A matrix as one block: the matrix itself, not copied. */
export const matrixRows = (X: Matrix): Rows => ({
  rows: X.rows,
  cols: X.cols,
  starts: [0, X.rows],
  matrix: X,
  read: (_, scales) =>
    Promise.resolve(
      scales === undefined ? X : { ...X, data: X.data.map((value, at) => value * scales[Math.floor(at / X.cols)]!) },
    ),
});

/** Every block in order: one pass. */
export async function* blocksOf(rows: Rows): AsyncGenerator<RowBlock> {
  for (let b = 0; b + 1 < rows.starts.length; b++) yield { start: rows.starts[b]!, X: await rows.read(b) };
}

/** Rows of one width after each other: copied into one matrix in memory, else each keeps its blocks. */
export function stackedRows(parts: readonly Rows[]): Rows {
  const [first, ...others] = parts;
  if (others.length === 0) return first!;
  const matrices = parts.flatMap((part) => part.matrix ?? []);
  if (matrices.length === parts.length) return matrixRows(stacked(matrices));
  const starts = [0];
  const blocks: { readonly part: Rows; readonly block: number; readonly before: number }[] = [];
  for (const part of parts) {
    const before = starts.at(-1)!;
    for (let block = 0; block + 1 < part.starts.length; block++) {
      blocks.push({ part, block, before });
      starts.push(starts.at(-1)! + part.starts[block + 1]! - part.starts[block]!);
    }
  }
  return {
    rows: starts.at(-1)!,
    cols: first!.cols,
    starts,
    read(at, scales) {
      const { part, block, before } = blocks[at]!;
      return part.read(block, scales?.subarray(before));
    },
  };
}

/** The rows of these numbers, copied in that order: blocks that have some of them are read, each once. */
export async function gatheredRows(rows: Rows, wanted: readonly number[]): Promise<Matrix> {
  const { starts, cols } = rows;
  const out = matrix(wanted.length, cols);
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  let next = 0;
  for (let b = 0; next < order.length; b++) {
    const [start, end] = [starts[b]!, starts[b + 1]!];
    if (wanted[order[next]!]! >= end) continue;
    const X = await rows.read(b);
    for (; next < order.length && wanted[order[next]!]! < end; next++)
      out.data.set(row(X, wanted[order[next]!]! - start), order[next]! * cols);
  }
  return out;
}

/** Values of a joined block: 16 MiB of float32. */
const JOINED_VALUES = 2 ** 22;

/**
 * The same rows in fewer blocks: neighbouring ones are joined while they have at most `most` values together. For work
 * that costs the same however many rows it is given, as a head that reads all its training rows for each answer.
 */
export function joinedBlocks(source: Rows, most = JOINED_VALUES): Rows {
  if (source.matrix !== undefined) return source;
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
