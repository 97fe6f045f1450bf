import { row, type Matrix } from '../../core/matrix.ts';
import type { Random } from '../../core/random.ts';
import type { Rows } from '../../core/rows.ts';

/** Rows with the class index of each. */
export interface Batch {
  readonly X: Matrix;
  readonly y: Int32Array;
}

/** Training rows: an epoch gives each once, in batches; a batch is valid until the next is asked for. */
export interface TrainingRows {
  readonly rows: number;
  epoch(source: Random): AsyncIterable<Batch>;
}

/** Rows that no step is made on, block by block: the loss of all of them is watched. */
export interface ValidationRows {
  readonly rows: number;
  blocks(): AsyncIterable<Batch>;
}

/** Rows to train on, or to validate on: all, or those of some numbers, ascending. */
export interface PickedRows {
  readonly rows: Rows;
  /** Class index of each of the rows, picked or not. */
  readonly y: Int32Array;
  readonly picked?: readonly number[];
}

/**
 * The picked rows in an epoch's order: blocks shuffled, rows shuffled within each, each as it is or in one of its views
 * with equal chances. A batch holds rows of one block; the last of a block may be smaller.
 */
export function shuffledBatches(
  { rows, y, picked }: PickedRows,
  views: readonly Rows[],
  batchSize: number,
): TrainingRows {
  const orders = byBlock(rows, picked);
  const blocks = Int32Array.from(orders, (_, b) => b);
  const buffer = new Float32Array(Math.min(batchSize, rows.rows) * rows.cols);
  return {
    rows: picked?.length ?? rows.rows,
    async *epoch(source) {
      for (const b of source.shuffle(blocks)) {
        // One array a block: it is shuffled from epoch to epoch, never back in order.
        const order = source.shuffle(orders[b]!);
        if (order.length === 0) continue;
        const matrices: Matrix[] = [];
        for (const view of [rows, ...views]) matrices.push(await view.read(b));
        const first = matrices[0]!;
        // Without views nothing is drawn: the same seed gives the same head as where there never were any.
        const draw = () => (views.length === 0 ? first : matrices[source.below(matrices.length)]!);
        const block = { y: y.subarray(rows.starts[b], rows.starts[b + 1]), cols: rows.cols, draw };
        for (let at = 0; at < order.length; at += batchSize)
          yield batchOf(order.subarray(at, at + batchSize), block, buffer);
      }
    },
  };
}

/** The picked rows a block at a time: a pass over the blocks that have some. */
export function validationBlocks({ rows, y, picked }: PickedRows): ValidationRows {
  const orders = byBlock(rows, picked);
  const buffer = new Float32Array(Math.max(...orders.map(({ length }) => length)) * rows.cols);
  return {
    rows: picked?.length ?? rows.rows,
    async *blocks() {
      for (const [b, order] of orders.entries()) {
        if (order.length === 0) continue;
        const X = await rows.read(b);
        const block = { y: y.subarray(rows.starts[b], rows.starts[b + 1]), cols: rows.cols, draw: () => X };
        yield batchOf(order, block, buffer);
      }
    },
  };
}

/** Rows of a block of the classes y, each of the matrix that `draw` gives for it, copied into `buffer`. */
function batchOf(
  order: Int32Array,
  { y, cols, draw }: { readonly y: Int32Array; readonly cols: number; readonly draw: () => Matrix },
  buffer: Float32Array,
): Batch {
  const data = buffer.subarray(0, order.length * cols);
  for (let at = 0; at < order.length; at++) data.set(row(draw(), order[at]!), at * cols);
  return { X: { data, rows: order.length, cols }, y: order.map((i) => y[i]!) };
}

/** The numbers of the picked rows in each block. */
function byBlock({ starts }: Rows, picked?: readonly number[]): Int32Array[] {
  if (picked === undefined)
    return starts.slice(1).map((end, b) => Int32Array.from({ length: end - starts[b]! }, (_, i) => i));
  const lists = starts.slice(1).map(() => [] as number[]);
  let block = 0;
  for (const row of picked) {
    while (row >= starts[block + 1]!) block++;
    lists[block]!.push(row - starts[block]!);
  }
  return lists.map((list) => Int32Array.from(list));
}
