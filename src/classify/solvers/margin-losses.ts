import type { Loss } from './loss.ts';

/**
 * Where the penalty is weak a small gradient says little of a squared hinge: at 1e-4 and C = 10,000, rows of length 1,
 * decision values were 0.5 off. A thousandth of the objective costs no step where the penalty is not weak.
 */
const MOST_GAP = 1e-3;

/**
 * The squared hinge max(0, 1 - t·f)² for targets t of -1 or 1, one column of scores; rows weighted by `shares` (n). Its
 * second derivative jumps where a row meets the margin: the generalised one is taken (Mangasarian 2002; Chapelle 2007,
 * "Training a support vector machine in the primal").
 */
export function squaredHingeLoss(targets: Float64Array, shares: Float64Array): Loss {
  const missing = (F: Float64Array, i: number): number => Math.max(0, 1 - targets[i]! * F[i]!);
  const value = (F: Float64Array): number =>
    shares.reduce((sum, share, i) => (share === 0 ? sum : sum + share * missing(F, i) ** 2), 0);
  return {
    k: 1,
    mostGap: MOST_GAP,
    value,
    at(F) {
      const gaps = F.map((_, i) => (shares[i] === 0 ? 0 : missing(F, i)));
      return {
        loss: gaps.reduce((sum, gap, i) => sum + shares[i]! * gap * gap, 0),
        residuals: gaps.map((gap, i) => -2 * shares[i]! * targets[i]! * gap),
        curvature: (U) => U.map((u, i) => (gaps[i]! > 0 ? 2 * shares[i]! * u : 0)),
        bend: () => ({ scale: Float32Array.from(gaps, (gap, i) => (gap > 0 ? 2 * shares[i]! : 0)) }),
      };
    },
  };
}

/** Half the squared error (f - t)² / 2, one column of scores; rows weighted by `shares` (n). */
export function squaredErrorLoss(targets: Float64Array, shares: Float64Array): Loss {
  const value = (F: Float64Array): number =>
    F.reduce((sum, f, i) => sum + (shares[i]! * (f - targets[i]!) ** 2) / 2, 0);
  return {
    k: 1,
    value,
    at: (F) => ({
      loss: value(F),
      residuals: F.map((f, i) => shares[i]! * (f - targets[i]!)),
      curvature: (U) => U.map((u, i) => shares[i]! * u),
      bend: () => ({ scale: new Float32Array(shares) }),
    }),
  };
}
