import type { Matrix } from '../../core/matrix.ts';
import { checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { solveBy } from '../linalg/inverse-cholesky.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { columnSums, weightedRows } from '../linalg/vectors.ts';
import { centredGram } from './centred-gram.ts';
import { positivesOf } from './linear-problems.ts';
import { checkSize, factor, type RidgeSystem, type RidgeTargets } from './ridge-system.ts';

interface RowSolution {
  readonly alpha: number;
  /** Shape (n, k). */
  readonly dual: Float64Array;
  /** The diagonal of the hat matrix without the intercept, shape (n). */
  readonly leverages: Float64Array;
}

/** Bytes of the system of so many rows: itself, a factor, its inverse and what making that takes. */
export const rowSystemBytes = (rows: number): number => 4 * 8 * rows ** 2;

/** The system of Xc·Xcᵀ, for no more rows than columns. Throws FIT_INVALID above 8192 rows, INTERRUPTED. */
export async function rowSystem(
  X: Matrix,
  { y, byClass }: RidgeTargets,
  context?: FitContext,
): Promise<RidgeSystem<RowSolution>> {
  const n = X.rows;
  checkSize(n, X);
  const weights = Float64Array.from(y, (c) => byClass[c]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sampleWeights = weights.map((weight) => weight / total);
  const roots = weights.map(Math.sqrt);
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const targets = Float64Array.from({ length: n * k }, (_, at) =>
    y[Math.floor(at / k)] === positives[at % k] ? 1 : -1,
  );
  const meanTarget = weightedRows(sampleWeights, targets, k);
  const T = targets.map((t, at) => roots[Math.floor(at / k)]! * (t - meanTarget[at % k]!));
  const mean = new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
  // Whatever is not finite is so in the mean of its column: the values are looked at only then.
  if (!mean.every(Number.isFinite)) checkFinite(X);
  const K = await centredGram(X, mean, context);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < n; j++) K[at++]! *= roots[i]! * roots[j]!;
  projectOut(K, roots);
  return {
    mean: new Float64Array(mean),
    meanTarget,
    mostKept: 1,
    async solve(alpha) {
      const inverse = await factor(K, n, alpha);
      const dual = await solveBy(inverse, T, k);
      const diagonal = new Float64Array(n);
      for (let j = 0, at = 0; j < n; j++) for (let i = 0; i < n; i++) diagonal[i]! += inverse.data[at++]! ** 2;
      // The hat matrix is 1 - alpha·(K + alpha)⁻¹.
      return { alpha, dual, leverages: diagonal.map((value) => 1 - alpha * value) };
    },
    errorsOf: (solutions) =>
      Promise.resolve(
        solutions.map(({ alpha, dual, leverages }) => {
          // K·dual = T - alpha·dual: the residuals are alpha·dual.
          const sum = dual.reduce((squares, value, at) => {
            const i = Math.floor(at / k);
            return squares + ((alpha * value) / (1 - leverages[i]! - sampleWeights[i]!)) ** 2;
          }, 0);
          return sum / dual.length;
        }),
      ),
    async weightsOf({ dual }) {
      const scaled = dual.map((value, at) => value * roots[Math.floor(at / k)]!);
      const sums = columnSums(scaled, k);
      const W = await transposedTimesThin(X, scaled, k, 'float64');
      return W.map((w, at) => w - mean[Math.floor(at / k)]! * sums[at % k]!);
    },
  };
}

/** K without its part along `direction`, in place: what float32 left there would be divided by a small alpha. */
function projectOut(K: Float64Array, direction: Float64Array): void {
  const n = direction.length;
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  const u = direction.map((value) => value / length);
  const Ku = u.map((_, i) => u.reduce((sum, value, j) => sum + K[i * n + j]! * value, 0));
  const uKu = u.reduce((sum, value, i) => sum + value * Ku[i]!, 0);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < n; j++) K[at++]! += uKu * u[i]! * u[j]! - u[i]! * Ku[j]! - Ku[i]! * u[j]!;
  }
}
