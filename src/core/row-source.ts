import type { Matrix } from './matrix.ts';

/**
 * Features that are read block by block, because all of them together would not fit into memory. The order of the rows is always the same.
 * One reader at a time: a block is valid until the next one is read.
 */
export interface RowSource {
  readonly rows: number;
  readonly cols: number;
  /** The first row of each block, ascending, and `rows` at the end: block b holds rows starts[b] to starts[b + 1], exclusive. */
  readonly starts: readonly number[];
  /** Block b, shape (starts[b + 1] - starts[b], cols), float32; with `scales`, one a row of the source, each row times its scale. */
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
