import type { Loss, PointwiseHessian } from './loss.ts';

/**
 * Cross-entropy (natural logarithm) of logits F (n, k) for class indices y, rows weighted by `sampleWeights` (n). k =
 * 1: binomial, class 1 positive; k > 1: multinomial (softmax).
 */
export function logisticLoss(y: Int32Array, k: number, sampleWeights: Float64Array): Loss {
  return k === 1 ? binomial(y, sampleWeights) : multinomial(y, k, sampleWeights);
}

function binomial(y: Int32Array, sampleWeights: Float64Array): Loss {
  return {
    k: 1,
    at(F) {
      const P = new Float64Array(F.length);
      const value = binomialLoss(F, y, sampleWeights, P);
      const residuals = P.map((p, i) => (sampleWeights[i] === 0 ? 0 : sampleWeights[i]! * (p - y[i]!)));
      const hessian = (U: Float64Array) => U.map((u, i) => sampleWeights[i]! * P[i]! * (1 - P[i]!) * u);
      const scale = () => Float32Array.from(P, (p, i) => sampleWeights[i]! * p * (1 - p));
      return { value, residuals, hessian, pointwiseHessian: () => ({ scale: scale() }) };
    },
  };
}

/** The loss, with the probabilities of class 1 into P (n). */
function binomialLoss(F: Float64Array, y: Int32Array, sampleWeights: Float64Array, P: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < F.length; i++) {
    if (sampleWeights[i] === 0) continue;
    const f = F[i]!;
    // log(1 + e^f) - y·f, with the exponential of a negative number only: it cannot overflow.
    const small = Math.exp(-Math.abs(f));
    loss += sampleWeights[i]! * (Math.log1p(small) + Math.max(f, 0) - y[i]! * f);
    P[i] = (f >= 0 ? 1 : small) / (1 + small);
  }
  return loss;
}

function multinomial(y: Int32Array, k: number, sampleWeights: Float64Array): Loss {
  return {
    k,
    at(F) {
      const P = new Float64Array(F.length);
      const value = multinomialLoss(F, y, k, sampleWeights, P);
      const residuals = new Float64Array(F.length);
      for (let i = 0, at = 0; i < y.length; i++) {
        for (let c = 0; c < k; c++, at++) residuals[at] = sampleWeights[i]! * (P[at]! - Number(c === y[i]));
      }
      return {
        value,
        residuals,
        hessian: (U) => hessianProduct(P, U, k, sampleWeights),
        pointwiseHessian: () => pointwiseHessian(P, k, sampleWeights),
      };
    },
  };
}

/** The loss, with the probabilities into P (n, k). */
function multinomialLoss(
  F: Float64Array,
  y: Int32Array,
  k: number,
  sampleWeights: Float64Array,
  P: Float64Array,
): number {
  let loss = 0;
  for (let i = 0, start = 0; i < y.length; i++, start += k) {
    if (sampleWeights[i] === 0) continue;
    let most = -Infinity;
    for (let c = 0; c < k; c++) most = Math.max(most, F[start + c]!);
    let sum = 0;
    for (let c = 0; c < k; c++) sum += P[start + c] = Math.exp(F[start + c]! - most);
    for (let c = 0; c < k; c++) P[start + c]! /= sum;
    loss += sampleWeights[i]! * (Math.log(sum) + most - F[start + y[i]!]!);
  }
  return loss;
}

/** The second derivative applied to U: row by row weight · (diag(p) - p·pᵀ)·u. */
function hessianProduct(P: Float64Array, U: Float64Array, k: number, sampleWeights: Float64Array): Float64Array {
  const out = new Float64Array(P.length);
  for (let i = 0, start = 0; i < sampleWeights.length; i++, start += k) {
    const weight = sampleWeights[i]!;
    if (weight === 0) continue;
    let mean = 0;
    for (let c = 0; c < k; c++) mean += P[start + c]! * U[start + c]!;
    for (let c = 0; c < k; c++) out[start + c] = weight * P[start + c]! * (U[start + c]! - mean);
  }
  return out;
}

/** The same as the runtime takes it. */
function pointwiseHessian(P: Float64Array, k: number, sampleWeights: Float64Array): Required<PointwiseHessian> {
  const n = sampleWeights.length;
  const [scale, probabilities] = [new Float32Array(P.length), new Float32Array(P.length)];
  for (let i = 0, at = 0; i < n; i++) {
    const weight = sampleWeights[i]!;
    for (let c = 0, to = i; c < k; c++, to += n, at++) {
      probabilities[to] = P[at]!;
      scale[to] = weight * P[at]!;
    }
  }
  return { scale, probabilities };
}
