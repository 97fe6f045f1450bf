import { matrix, type Matrix } from '../../src/core/matrix.ts';
import type { Rows } from '../../src/core/rows.ts';

/**
 * The rows of a matrix in blocks of `size`. Each block is handed out in the same memory, and what a reader did to it is
 * lost, as when it is read from a file.
 */
export function blockRows(X: Matrix, size: number): Rows {
  const starts = Array.from({ length: Math.ceil(X.rows / size) }, (_, b) => b * size);
  const memory = new Float32Array(size * X.cols);
  return {
    rows: X.rows,
    cols: X.cols,
    starts: [...starts, X.rows],
    read(block, scales) {
      const from = block * size;
      const rows = Math.min(size, X.rows - from);
      memory.fill(NaN);
      memory.set(X.data.subarray(from * X.cols, (from + rows) * X.cols));
      for (let i = 0; scales !== undefined && i < rows; i++) {
        for (let j = 0; j < X.cols; j++) memory[i * X.cols + j]! *= scales[from + i]!;
      }
      return Promise.resolve(matrix(rows, X.cols, memory.subarray(0, rows * X.cols)));
    },
  };
}
