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
  return {
    k: 1,
    at(F) {
      const residuals = new Float64Array(F.length);
      const scale = new Float32Array(F.length);
      return {
        value: hinges(F, targets, sampleWeights, residuals, scale),
        residuals,
        hessian: (U) => U.map((u, i) => (scale[i]! > 0 ? 2 * sampleWeights[i]! * u : 0)),
        pointwiseHessian: () => ({ scale }),
      };
    },
  };
}

/**
 * The sum of the losses; writes their derivatives. One plain loop: a fit of some milliseconds is over before a call a
 * row has been compiled.
 */
function hinges(
  F: Float64Array,
  targets: Float64Array,
  sampleWeights: Float64Array,
  residuals: Float64Array,
  scale: Float32Array,
): number {
  let value = 0;
  for (let i = 0; i < F.length; i++) {
    const weight = sampleWeights[i]!;
    const miss = 1 - targets[i]! * F[i]!;
    if (weight === 0 || miss <= 0) continue;
    value += weight * miss * miss;
    residuals[i] = -2 * weight * targets[i]! * miss;
    scale[i] = 2 * weight;
  }
  return value;
}

/** Half the squared error (f - t)² / 2, one column of logits; rows weighted by `sampleWeights` (n). */
export function squaredErrorLoss(targets: Float64Array, sampleWeights: Float64Array): Loss {
  const pointwise = { scale: new Float32Array(sampleWeights) };
  return {
    k: 1,
    at: (F) => ({
      value: F.reduce((sum, f, i) => sum + (sampleWeights[i]! * (f - targets[i]!) ** 2) / 2, 0),
      residuals: F.map((f, i) => sampleWeights[i]! * (f - targets[i]!)),
      hessian: (U) => U.map((u, i) => sampleWeights[i]! * u),
      pointwiseHessian: () => pointwise,
    }),
  };
}
