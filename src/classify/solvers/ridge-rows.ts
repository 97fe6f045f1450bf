import type { Matrix } from '../../core/matrix.ts';
import { checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { type Shifted, tridiagonalOf } from '../linalg/tridiagonal.ts';
import { addScaled, columnSums, dot, weightedRows } from '../linalg/vectors.ts';
import { centredGram } from './centred-gram.ts';
import { positivesOf } from './linear-problems.ts';
import { checkSize, shiftedBy, type RidgeSystem, type RidgeTargets } from './ridge-system.ts';

/** Bytes of the system of so many rows: itself, the basis of its tridiagonal form and what making that takes. */
export const rowSystemBytes = (rows: number): number => 4 * 8 * rows ** 2;

/** The system of Xc·Xcᵀ, for no more rows than columns. Throws FIT_INVALID above 8192 rows, INTERRUPTED. */
export async function rowSystem(X: Matrix, { y, byClass }: RidgeTargets, context?: FitContext): Promise<RidgeSystem> {
  const n = X.rows;
  checkSize(n, X);
  const weights = Float64Array.from(y, (c) => byClass[c]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sampleWeights = weights.map((weight) => weight / total);
  const roots = weights.map(Math.sqrt);
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const signs = Float64Array.from({ length: n * k }, (_, at) => (y[Math.floor(at / k)] === positives[at % k] ? 1 : -1));
  const meanTarget = weightedRows(sampleWeights, signs, k);
  const targets = signs.map((sign, at) => roots[Math.floor(at / k)]! * (sign - meanTarget[at % k]!));
  const mean = new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
  // Whatever is not finite is so in the mean of its column: the values are looked at only then.
  if (!mean.every(Number.isFinite)) checkFinite(X);
  const K = await centredGram(X, mean, context);
  scale(K, roots);
  projectOut(K, roots);
  const T = await tridiagonalOf({ data: K, rows: n, cols: n }, context);
  const { basis } = T;
  const turned = await timesThin(basis, targets, k, 'float64');
  /** (K + alpha)⁻¹ times the targets, shape (n, k). */
  const dualOf = (system: Shifted) => transposedTimesThin(basis, system.solve(turned, k), k, 'float64');
  return {
    mean: new Float64Array(mean),
    meanTarget,
    async errorsOf(alphas) {
      const errors: number[] = [];
      for (const alpha of alphas) {
        const system = shiftedBy(T, alpha);
        const dual = await dualOf(system);
        const diagonal = system.squares(basis.data, n);
        // K·dual = targets - alpha·dual: the residuals are alpha·dual. The hat matrix is 1 - alpha·(K + alpha)⁻¹.
        const sum = dual.reduce((squares, value, at) => {
          const i = Math.floor(at / k);
          return squares + ((alpha * value) / (alpha * diagonal[i]! - sampleWeights[i]!)) ** 2;
        }, 0);
        errors.push(sum / dual.length);
      }
      return errors;
    },
    async weightsOf(alpha) {
      const dual = await dualOf(shiftedBy(T, alpha));
      const scaled = dual.map((value, at) => value * roots[Math.floor(at / k)]!);
      const sums = columnSums(scaled, k);
      // In float32, as the products in K were: measured, the decision values are as near to the optimum.
      const W = await transposedTimesThin(X, scaled, k, 'float32');
      return W.map((w, at) => w - mean[Math.floor(at / k)]! * sums[at % k]!);
    },
  };
}

/** Lines and columns of K times their roots, in place. */
function scale(K: Float64Array, roots: Float64Array): void {
  const n = roots.length;
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < n; j++) K[at++]! *= roots[i]! * roots[j]!;
}

/** K without its part along `direction`, in place: what float32 left there would be divided by a small alpha. */
function projectOut(K: Float64Array, direction: Float64Array): void {
  const n = direction.length;
  const length = Math.sqrt(dot(direction, direction));
  const u = direction.map((value) => value / length);
  const lines = Array.from(u, (_, i) => K.subarray(i * n, (i + 1) * n));
  const Ku = Float64Array.from(lines, (line) => dot(u, line));
  const uKu = dot(u, Ku);
  for (const [i, line] of lines.entries()) {
    addScaled(line, uKu * u[i]! - Ku[i]!, u);
    addScaled(line, -u[i]!, Ku);
  }
}
