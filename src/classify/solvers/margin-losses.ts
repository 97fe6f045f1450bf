import type { Loss } from './loss.ts';

/**
 * With a weak penalty a small gradient says little of a squared hinge: at 1e-4, C = 10,000, rows of length 1, decision
 * values were 0.5 off. A thousandth costs no step where the penalty is not weak.
 */
export const GAP_TOLERANCE = 1e-3;

/**
 * The squared hinge max(0, 1 - t·f)², targets t of -1 or 1, k = 1, rows weighted by `sampleWeights` (n). At the margin
 * its second derivative is the generalised one (Mangasarian 2002; Chapelle 2007).
 */
export function squaredHingeLoss(targets: Float64Array, sampleWeights: Float64Array): Loss {
  const missing = (F: Float64Array, i: number): number => Math.max(0, 1 - targets[i]! * F[i]!);
  return {
    k: 1,
    at(F) {
      const misses = F.map((_, i) => (sampleWeights[i] === 0 ? 0 : missing(F, i)));
      return {
        value: misses.reduce((sum, miss, i) => sum + sampleWeights[i]! * miss * miss, 0),
        residuals: misses.map((miss, i) => -2 * sampleWeights[i]! * targets[i]! * miss),
        hessian: (U) => U.map((u, i) => (misses[i]! > 0 ? 2 * sampleWeights[i]! * u : 0)),
        pointwiseHessian: () => ({
          scale: Float32Array.from(misses, (miss, i) => (miss > 0 ? 2 * sampleWeights[i]! : 0)),
        }),
      };
    },
  };
}

/** Half the squared error (f - t)² / 2, one column of logits; rows weighted by `sampleWeights` (n). */
export function squaredErrorLoss(targets: Float64Array, sampleWeights: Float64Array): Loss {
  return {
    k: 1,
    at: (F) => ({
      value: F.reduce((sum, f, i) => sum + (sampleWeights[i]! * (f - targets[i]!) ** 2) / 2, 0),
      residuals: F.map((f, i) => sampleWeights[i]! * (f - targets[i]!)),
      hessian: (U) => U.map((u, i) => sampleWeights[i]! * u),
      pointwiseHessian: () => ({ scale: new Float32Array(sampleWeights) }),
    }),
  };
}
