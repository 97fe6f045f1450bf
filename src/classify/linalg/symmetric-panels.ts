import type { Matrix } from '../../core/matrix.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import { threadsFor } from './gemm.ts';
import type { Square } from './inverse-cholesky.ts';
import { mathSession, sessionCache } from './math-session.ts';
import { rowBlocks } from './thin.ts';
import { addScaled } from './vectors.ts';

/** Some columns of a symmetric matrix, from its first line down to their last one on the diagonal. */
export interface Panel {
  /** The first of the columns. */
  readonly start: number;
  /** Shape (start + columns, columns). */
  readonly block: Matrix;
}

/**
 * A symmetric float32 matrix (rows, rows) by its upper triangle, in panels of PANEL columns: half of its memory, and
 * each rectangle of lines of a panel is a matrix for the runtime as it lies.
 */
export interface SymmetricPanels {
  readonly rows: number;
  readonly panels: readonly Panel[];
}

/** Columns of a panel; the last one may have fewer. */
export const PANEL = 192;

/** Bytes of the panels of so many rows. */
export const panelBytes = (rows: number): number => 2 * rows * (rows + PANEL);

/** The columns of each panel. */
export const panelColumns = (rows: number): { readonly start: number; readonly end: number }[] =>
  Array.from({ length: Math.ceil(rows / PANEL) }, (_, p) => ({
    start: p * PANEL,
    end: Math.min(rows, (p + 1) * PANEL),
  }));

/** Element (i, j). */
export function valueAt({ panels }: SymmetricPanels, i: number, j: number): number {
  const column = Math.max(i, j);
  const { start, block } = panels[Math.floor(column / PANEL)]!;
  return block.data[Math.min(i, j) * block.cols + column - start]!;
}

/** All of it, in float64. */
export function wholeOf({ rows: n, panels }: SymmetricPanels): Square {
  const data = new Float64Array(n * n);
  for (const { start, block } of panels) {
    for (let i = 0, at = 0; i < block.rows; i++) {
      for (let j = start; j < start + block.cols; j++, at++)
        if (i <= j) data[i * n + j] = data[j * n + i] = block.data[at]!;
    }
  }
  return { data, rows: n, cols: n };
}

/** Values of one run: in float64 1 MiB, which the cache holds and the system need not clear anew for each. */
const BLOCK_VALUES = 2 ** 17;

const cached = sessionCache();

/** ONNX_TYPE.float64, which only the encoder may import: a protobuf library comes with it. */
const FLOAT64 = 11;

/** A·V and Aᵀ·U in float64 of a float32 A (m, p), which is widened once. */
const bothSides = (threads: number) =>
  cached(String(threads), () =>
    mathSession(
      {
        name: 'both sides',
        nodes: [
          { op: 'Cast', inputs: ['A'], outputs: ['A64'], attributes: { to: FLOAT64 } },
          { op: 'Gemm', inputs: ['A64', 'V'], outputs: ['AV'] },
          { op: 'Gemm', inputs: ['A64', 'U'], outputs: ['AtU'], attributes: { transA: 1 } },
        ],
        inputs: [
          { name: 'A', type: 'float32', shape: ['m', 'p'] },
          { name: 'V', type: 'float64', shape: ['p', 'k'] },
          { name: 'U', type: 'float64', shape: ['m', 'k'] },
        ],
        outputs: [
          { name: 'AV', type: 'float64', shape: ['m', 'k'] },
          { name: 'AtU', type: 'float64', shape: ['p', 'k'] },
        ],
        initializers: [],
      },
      threads,
    ),
  );

/** The product with V (rows, k), in float64. */
export async function timesSymmetric({ rows, panels }: SymmetricPanels, V: Float64Array, k: number) {
  const { Tensor } = await onnxRuntime();
  const out = new Float64Array(rows * k);
  const linesOf = (all: Float64Array, from: number, to: number) => all.subarray(from * k, to * k);
  for (const { start, block } of panels) {
    const [own, ownOut] = [linesOf(V, start, block.rows), linesOf(out, start, block.rows)];
    for (const { start: from, block: A } of rowBlocks(block, BLOCK_VALUES)) {
      const to = from + A.rows;
      // The square on the diagonal has both of its triangles already.
      const U = linesOf(V, from, to)
        .slice()
        .fill(0, k * Math.max(0, start - from));
      const session = await bothSides(threadsFor(2 * k * A.data.length, A.data.length));
      const { AV, AtU } = await session.run({
        A: new Tensor('float32', A.data, [A.rows, A.cols]),
        V: new Tensor('float64', own, [A.cols, k]),
        U: new Tensor('float64', U, [A.rows, k]),
      });
      addScaled(linesOf(out, from, to), 1, AV!.data as Float64Array);
      addScaled(ownOut, 1, AtU!.data as Float64Array);
    }
  }
  return out;
}
