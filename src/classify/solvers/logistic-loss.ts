/** Loss, probabilities and residuals of one set of scores. */
export interface Evaluation {
  /** Mean cross-entropy over the rows, natural logarithm. */
  readonly loss: number;
  /** Probability per score: of the class (softmax), or of class 1 (binomial). Shape (n, k). */
  readonly probabilities: Float64Array;
}

/**
 * Mean logistic loss of scores F (n, k) for the class indices y. k = 1 is the binomial loss with class 1 as the positive one;
 * k > 1 the multinomial one (softmax).
 */
export function evaluate(F: Float64Array, y: Int32Array, k: number): Evaluation {
  return k === 1 ? binomial(F, y) : multinomial(F, y, k);
}

function binomial(F: Float64Array, y: Int32Array): Evaluation {
  const probabilities = new Float64Array(F.length);
  let loss = 0;
  for (let i = 0; i < F.length; i++) {
    const f = F[i]!;
    // log(1 + e^f) - y·f, with the exponential of a negative number only: it cannot overflow.
    const small = Math.exp(-Math.abs(f));
    loss += Math.log1p(small) + Math.max(f, 0) - y[i]! * f;
    probabilities[i] = (f >= 0 ? 1 : small) / (1 + small);
  }
  return { loss: loss / F.length, probabilities };
}

function multinomial(F: Float64Array, y: Int32Array, k: number): Evaluation {
  const probabilities = new Float64Array(F.length);
  let loss = 0;
  for (let i = 0, start = 0; i < y.length; i++, start += k) {
    let most = -Infinity;
    for (let c = 0; c < k; c++) most = Math.max(most, F[start + c]!);
    let sum = 0;
    for (let c = 0; c < k; c++) {
      const e = Math.exp(F[start + c]! - most);
      probabilities[start + c] = e;
      sum += e;
    }
    for (let c = 0; c < k; c++) probabilities[start + c]! /= sum;
    loss += Math.log(sum) + most - F[start + y[i]!]!;
  }
  return { loss: loss / y.length, probabilities };
}

/** Derivative of the mean loss by each score: (P - Y) / n, shape (n, k). */
export function residuals(P: Float64Array, y: Int32Array, k: number): Float64Array {
  const n = y.length;
  const out = Float64Array.from(P, (p) => p / n);
  for (let i = 0; i < n; i++) {
    if (k > 1) out[i * k + y[i]!]! -= 1 / n;
    else out[i]! -= y[i]! / n;
  }
  return out;
}

/** The loss' second derivative applied to a change U of the scores, shape (n, k). */
export function curvature(P: Float64Array, U: Float64Array, k: number): Float64Array {
  const n = P.length / k;
  const out = new Float64Array(P.length);
  if (k === 1) {
    for (let i = 0; i < n; i++) out[i] = (P[i]! * (1 - P[i]!) * U[i]!) / n;
    return out;
  }
  for (let start = 0; start < P.length; start += k) {
    let mean = 0;
    for (let c = 0; c < k; c++) mean += P[start + c]! * U[start + c]!;
    for (let c = 0; c < k; c++) out[start + c] = (P[start + c]! * (U[start + c]! - mean)) / n;
  }
  return out;
}
