import type { Bend, Loss, LossInParts } from './loss.ts';

/**
 * Cross-entropy (natural logarithm) of scores F (n, k) for the class indices y, rows weighted by `shares` (n). k = 1 is
 * the binomial loss with class 1 as the positive one; k > 1 the multinomial one (softmax).
 */
export function logisticLoss(y: Int32Array, k: number, shares: Float64Array): LossInParts {
  return {
    ...(k === 1 ? binomial(y, shares) : multinomial(y, k, shares)),
    part: (from, to) => logisticLoss(y.subarray(from, to), k, shares.subarray(from, to)),
  };
}

function binomial(y: Int32Array, shares: Float64Array): Loss {
  const value = (F: Float64Array, P?: Float64Array): number => {
    let loss = 0;
    for (let i = 0; i < F.length; i++) {
      if (shares[i] === 0) continue;
      const f = F[i]!;
      // log(1 + e^f) - y·f, with the exponential of a negative number only: it cannot overflow.
      const small = Math.exp(-Math.abs(f));
      loss += shares[i]! * (Math.log1p(small) + Math.max(f, 0) - y[i]! * f);
      if (P !== undefined) P[i] = (f >= 0 ? 1 : small) / (1 + small);
    }
    return loss;
  };
  return {
    k: 1,
    value: (F) => value(F),
    at(F) {
      const P = new Float64Array(F.length);
      const loss = value(F, P);
      const residuals = P.map((p, i) => (shares[i] === 0 ? 0 : shares[i]! * (p - y[i]!)));
      const curvature = (U: Float64Array) => U.map((u, i) => shares[i]! * P[i]! * (1 - P[i]!) * u);
      const bend = () => ({ scale: Float32Array.from(P, (p, i) => shares[i]! * p * (1 - p)) });
      return { loss, residuals, curvature, bend };
    },
  };
}

function multinomial(y: Int32Array, k: number, shares: Float64Array): Loss {
  const value = (F: Float64Array, P: Float64Array): number => {
    let loss = 0;
    for (let i = 0, start = 0; i < y.length; i++, start += k) {
      if (shares[i] === 0) continue;
      let most = -Infinity;
      for (let c = 0; c < k; c++) most = Math.max(most, F[start + c]!);
      let sum = 0;
      for (let c = 0; c < k; c++) sum += P[start + c] = Math.exp(F[start + c]! - most);
      for (let c = 0; c < k; c++) P[start + c]! /= sum;
      loss += shares[i]! * (Math.log(sum) + most - F[start + y[i]!]!);
    }
    return loss;
  };
  return {
    k,
    value: (F) => value(F, new Float64Array(F.length)),
    at(F) {
      const P = new Float64Array(F.length);
      const loss = value(F, P);
      const residuals = new Float64Array(F.length);
      for (let i = 0, at = 0; i < y.length; i++) {
        for (let c = 0; c < k; c++, at++) residuals[at] = shares[i]! * (P[at]! - Number(c === y[i]));
      }
      return {
        loss,
        residuals,
        curvature: (U) => curved(P, U, k, shares),
        bend: () => bendOf(P, k, shares),
      };
    },
  };
}

/**
 * The second derivative of the multinomial loss with probabilities P applied to U: row by row share · (diag(p) -
 * p·pᵀ)·u.
 */
function curved(P: Float64Array, U: Float64Array, k: number, shares: Float64Array): Float64Array {
  const out = new Float64Array(P.length);
  for (let i = 0, start = 0; i < shares.length; i++, start += k) {
    const share = shares[i]!;
    if (share === 0) continue;
    let mean = 0;
    for (let c = 0; c < k; c++) mean += P[start + c]! * U[start + c]!;
    for (let c = 0; c < k; c++) out[start + c] = share * P[start + c]! * (U[start + c]! - mean);
  }
  return out;
}

/** The same as the runtime takes it. */
function bendOf(P: Float64Array, k: number, weights: Float64Array): Required<Bend> {
  const n = weights.length;
  const [scale, shares] = [new Float32Array(P.length), new Float32Array(P.length)];
  for (let i = 0, at = 0; i < n; i++) {
    const weight = weights[i]!;
    for (let c = 0, to = i; c < k; c++, to += n, at++) {
      shares[to] = P[at]!;
      scale[to] = weight * P[at]!;
    }
  }
  return { scale, shares };
}
