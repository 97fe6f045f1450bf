import { rowRange, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { gemm, type Factor } from '../linalg/gemm.ts';
import { solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { positivesOf } from './linear-problems.ts';
import { checkSize, factor, type RidgeSystem, type RidgeTargets } from './ridge-system.ts';
import { centredColumns, momentsBytes, momentsOf } from './row-moments.ts';

/** Rows whose leverages are found at once. */
const ROWS = 1024;
/** Values of inverses that are kept at once where rows need not be read again: 0.5 GB. */
const KEPT_VALUES = 2 ** 26;

/** How many solutions are kept at once for their errors: all where each pass reads the rows again. */
const mostKept = (cols: number, inMemory: boolean): number =>
  inMemory ? Math.max(1, Math.floor(KEPT_VALUES / cols ** 2)) : Infinity;

/** Bytes of the system of so many columns: itself, factors, one inverse a penalty and what making one takes. */
export function columnSystemBytes(cols: number, alphas: number, inMemory: boolean): number {
  const kept = Math.min(alphas, mostKept(cols, inMemory));
  return Math.max(momentsBytes(cols), 8 * cols * cols * (4 + kept) + 16 * ROWS * cols);
}

interface ColumnSolution {
  readonly inverse: Square;
  /** Shape (d, k). */
  readonly W: Float64Array;
}

/** The system of Xcᵀ·Xc, in one pass; errors take another. Throws FIT_INVALID above 8192 columns, INTERRUPTED. */
export async function columnSystem(
  rows: Rows,
  { y, byClass }: RidgeTargets,
  context?: FitContext,
): Promise<RidgeSystem<ColumnSolution>> {
  const d = rows.cols;
  checkSize(d, rows);
  const { weight, mean, scatter, classMeans } = await momentsOf(rows, y, byClass, context);
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const counts = countClasses(y, byClass.length);
  const meanTarget = Float64Array.from(positives, (c) => (2 * counts[c]! * byClass[c]!) / weight - 1);
  // Targets are twice a row's membership less 1, and the centred rows sum to nothing.
  const cross = Float64Array.from({ length: d * k }, (_, at) => {
    const [j, c] = [Math.floor(at / k), positives[at % k]!];
    return 2 * counts[c]! * byClass[c]! * (classMeans[c]![j]! - mean[j]!);
  });

  /** Adds the squared errors of some rows to the sums of the solutions. */
  async function addErrors(sums: Float64Array, X: Matrix, classes: Int32Array, solutions: readonly ColumnSolution[]) {
    const roots = Float64Array.from(classes, (c) => Math.sqrt(byClass[c]!));
    const columns = centredColumns(X, mean, roots);
    for (const [s, { inverse, W }] of solutions.entries()) {
      const fitted = await transposedTimesThin(columns, W, k, 'float64');
      const leverages = await leveragesOf(inverse, columns);
      for (let at = 0; at < fitted.length; at++) {
        const i = Math.floor(at / k);
        const target = classes[i] === positives[at % k] ? 1 : -1;
        const residual = roots[i]! * (target - meanTarget[at % k]!) - fitted[at]!;
        sums[s]! += (residual / (1 - leverages[i]! - byClass[classes[i]!]! / weight)) ** 2;
      }
    }
  }

  return {
    mean,
    meanTarget,
    mostKept: mostKept(d, rows.matrix !== undefined),
    async solve(alpha) {
      const inverse = await factor(scatter, d, alpha);
      return { inverse, W: await solveBy(inverse, cross, k) };
    },
    async errorsOf(solutions) {
      const sums = new Float64Array(solutions.length);
      for await (const { start, X } of blocksOf(rows)) {
        for (let from = 0; from < X.rows; from += ROWS) {
          checkAborted(context);
          const part = rowRange(X, from, Math.min(X.rows, from + ROWS));
          const classes = y.subarray(start + from, start + from + part.rows);
          await addErrors(sums, part, classes, solutions);
        }
      }
      return Array.from(sums, (sum) => sum / (rows.rows * k));
    },
    weightsOf: ({ W }) => Promise.resolve(W),
  };
}

/** Parts of a triangle: with eight of them 0.56 of the whole square is multiplied. */
const PARTS = 8;

/** Squared length of each row of Xc·L⁻ᵀ (n). L⁻¹ is lower triangular: its first lines meet the first columns alone. */
async function leveragesOf(inverse: Square, { data, rows: d, cols: n }: Factor): Promise<Float64Array> {
  const leverages = new Float64Array(n);
  const step = Math.ceil(d / PARTS);
  for (let from = 0; from < d; from += step) {
    const to = Math.min(d, from + step);
    const lines = new Float64Array((to - from) * to);
    for (let i = from; i < to; i++) lines.set(inverse.data.subarray(i * d, i * d + to), (i - from) * to);
    const first = { data: data.subarray(0, to * n), rows: to, cols: n };
    const turned = await gemm('neither', { data: lines, rows: to - from, cols: to }, first);
    addSquares(leverages, turned.data);
  }
  return leverages;
}

function addSquares(sums: Float64Array, lines: Float32Array | Float64Array): void {
  const n = sums.length;
  for (let at = 0; at < lines.length;) for (let i = 0; i < n; i++) sums[i]! += lines[at++]! ** 2;
}
