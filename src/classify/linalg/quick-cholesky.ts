import { type Matrix, matrix, rowRange } from '../../core/matrix.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { gemm, threadsFor } from './gemm.ts';
import { inverseCholesky } from './inverse-cholesky.ts';
import { mathSession, sessionCache } from './math-session.ts';
import { PANEL, type SymmetricPanels } from './symmetric-panels.ts';
import { timesThin, transposedTimesThin } from './thin.ts';
import { addScaled } from './vectors.ts';

/** Lines of L: what is left of their triangle on the diagonal, shape (lines, start), and the inverse of that. */
interface FactorPanel {
  readonly start: number;
  readonly lines: Matrix;
  readonly inverse: Matrix;
}

/** About (A + shift)⁻¹, by a float32 Cholesky factor. */
export interface QuickInverse {
  /** (A + shift)⁻¹·B, B (n, k). */
  apply(B: Float64Array, k: number): Promise<Float64Array>;
}

/**
 * The float32 Cholesky factor of A + shift, panel after panel (Golub and Van Loan 2013, 4.2.6): n³ / 6 multiplications
 * by the runtime's product, and as much memory as A. Undefined where A + shift is not positive to float32 rounding.
 * Throws INTERRUPTED.
 */
export async function quickCholesky(
  A: SymmetricPanels,
  shift: number,
  context?: FitContext,
): Promise<QuickInverse | undefined> {
  const panels: FactorPanel[] = [];
  // One product is small, but they follow each other without a pause.
  const threads = threadsFor(A.rows ** 2 * PANEL, 0);
  const memory = new Float32Array(A.rows * PANEL);
  for (const { start, block } of A.panels) {
    const width = block.cols;
    // The columns of Lᵀ are found from above: what belongs to a panel needs what belongs to those before.
    const above = matrix(start, width, memory.subarray(0, start * width));
    for (const panel of panels) {
      checkAborted(context);
      await findColumns(panel, block, above, threads);
    }
    const lines = transposed(above);
    const triangle = new Float64Array(rowRange(block, start, start + width).data);
    if (start > 0) addScaled(triangle, -1, new Float64Array((await gemm('neither', lines, above, { threads })).data));
    for (let j = 0; j < width; j++) triangle[j * width + j]! += shift;
    const inverse = await inverseCholesky({ data: triangle, rows: width, cols: width });
    if (inverse === undefined) return undefined;
    panels.push({ start, lines, inverse: matrix(width, width, new Float32Array(inverse.data)) });
  }
  return { apply: (B, k) => solve(panels, B, k) };
}

/** Lines that are read side by side, of which the cache holds what is next. */
const TILE = 16;

function transposed({ data, rows, cols }: Matrix): Matrix {
  const out = matrix(cols, rows);
  for (let top = 0; top < rows; top += TILE) transposeTile(data, out.data, top, Math.min(rows, top + TILE), rows, cols);
  return out;
}

function transposeTile(
  from: Float32Array,
  to: Float32Array,
  top: number,
  bottom: number,
  rows: number,
  cols: number,
): void {
  for (let j = 0; j < cols; j++) {
    for (let i = top, read = top * cols + j; i < bottom; i++, read += cols) to[j * rows + i] = from[read]!;
  }
}

const cached = sessionCache();

/** inverse·(A - lines·above) */
const columns = (threads: number) =>
  cached(String(threads), () =>
    mathSession(
      {
        name: 'columns of a Cholesky factor',
        nodes: [
          { op: 'Gemm', inputs: ['lines', 'above'], outputs: ['taken'] },
          { op: 'Sub', inputs: ['A', 'taken'], outputs: ['rest'] },
          { op: 'Gemm', inputs: ['inverse', 'rest'], outputs: ['Z'] },
        ],
        inputs: [
          { name: 'lines', type: 'float32', shape: ['p', 's'] },
          { name: 'above', type: 'float32', shape: ['s', 'q'] },
          { name: 'A', type: 'float32', shape: ['p', 'q'] },
          { name: 'inverse', type: 'float32', shape: ['p', 'p'] },
        ],
        outputs: [{ name: 'Z', type: 'float32', shape: ['p', 'q'] }],
        initializers: [],
      },
      threads,
    ),
  );

/** The lines of Lᵀ that belong to a panel in the columns of another one, into `above` below those before. */
async function findColumns(
  { start, lines, inverse }: FactorPanel,
  block: Matrix,
  above: Matrix,
  threads: 0 | 1,
): Promise<void> {
  const end = start + lines.rows;
  const own = rowRange(block, start, end);
  const found = rowRange(above, start, end);
  if (start === 0) {
    await gemm('neither', inverse, own, { into: found.data, threads });
    return;
  }
  const { Tensor } = await onnxRuntime();
  const tensor = ({ data, rows, cols }: Matrix) => new Tensor('float32', data, [rows, cols]);
  const session = await columns(threads);
  await session.run(
    { lines: tensor(lines), above: tensor(rowRange(above, 0, start)), A: tensor(own), inverse: tensor(inverse) },
    { Z: tensor(found) },
  );
}

/** L⁻ᵀ·(L⁻¹·B), panel after panel and back. */
async function solve(panels: readonly FactorPanel[], B: Float64Array, k: number): Promise<Float64Array> {
  const X = B.slice();
  const partsOf = ({ start, lines }: FactorPanel) =>
    [X.subarray(0, start * k), X.subarray(start * k, (start + lines.rows) * k)] as const;
  for (const panel of panels) {
    const [before, own] = partsOf(panel);
    if (panel.start > 0) addScaled(own, -1, await timesThin(panel.lines, before, k, 'float32'));
    own.set(await timesThin(panel.inverse, own, k, 'float32'));
  }
  for (const panel of [...panels].reverse()) {
    const [before, own] = partsOf(panel);
    own.set(await transposedTimesThin(panel.inverse, own, k, 'float32'));
    if (panel.start > 0) addScaled(before, -1, await transposedTimesThin(panel.lines, own, k, 'float32'));
  }
  return X;
}
