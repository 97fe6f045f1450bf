import { matrix } from '../../src/core/matrix.ts';
import type { Square } from '../../src/classify/linalg/inverse-cholesky.ts';
import { panelColumns, type SymmetricPanels } from '../../src/classify/linalg/symmetric-panels.ts';

/** The panels of a whole symmetric matrix. */
export function panelsOf({ data, rows }: Square): SymmetricPanels {
  const panels = panelColumns(rows).map(({ start, end }) => {
    const block = matrix(end, end - start);
    for (let i = 0; i < end; i++) block.data.set(data.subarray(i * rows + start, i * rows + end), i * block.cols);
    return { start, block };
  });
  return { rows, panels };
}
