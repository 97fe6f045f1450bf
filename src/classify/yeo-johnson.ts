import { blocksOf, type Rows } from '../core/rows.ts';

/** The largest exponent that a training value gets: e^88 is 1.7e38, which float32 holds just so. */
const MOST_EXPONENT = 88;
/** Newton steps at most; columns of features take 5 to 12, mostly empty ones up to 25. */
const MOST_STEPS = 60;
/** A step that is smaller, for lambdas beyond 1 by their own size, is the last. */
const SMALLEST_STEP = 1e-8;
/** Below it, a power is its series: the closed form would lose its digits. */
const SMALL_EXPONENT = 1e-4;

/** ((1 + x)^lambda - 1) / lambda for x >= 0; below zero less the same of -x and 2 - lambda (Yeo and Johnson 2000). */
export function yeoJohnson(x: number, lambda: number): number {
  return x >= 0 ? power(Math.log1p(x), lambda) : -power(Math.log1p(-x), 2 - lambda);
}

/** (e^(exponent · t) - 1) / exponent. */
function power(t: number, exponent: number): number {
  return exponent === 0 ? t : Math.expm1(exponent * t) / exponent;
}

/** Sums over the rows, of each column, about the values at its mean; w is a value, ' the derivative by lambda. */
interface Sums {
  readonly w: Float64Array;
  readonly w1: Float64Array;
  readonly w2: Float64Array;
  readonly ww: Float64Array;
  readonly w1w1: Float64Array;
  readonly ww1: Float64Array;
  readonly ww2: Float64Array;
}

/**
 * The lambda of each column under which its values are likeliest normal, shape (d), rounded to float32: the maximum of
 * -n/2 · log(variance) + (lambda - 1) · sum of sign(x) · log(1 + |x|), by Newton's method between bounds. Every step is
 * one pass over the rows. 1, the identity, for columns where `isConstant`.
 */
export async function yeoJohnsonLambdas(
  rows: Rows,
  mean: Float64Array,
  isConstant: (column: number) => boolean,
): Promise<Float32Array> {
  const d = rows.cols;
  const lambdas = new Float64Array(d).fill(1);
  const { slope, low, high } = await boundsOf(rows);
  let open = Int32Array.from(lambdas.keys()).filter((j) => !isConstant(j));
  for (let step = 0; step < MOST_STEPS && open.length > 0; step++) {
    const sums = await sumsAt(rows, open, lambdas, mean);
    open = open.filter((j, at) => {
      const [first, second] = derivatives(sums, at, rows.rows, slope[j]! / rows.rows);
      if (first > 0) low[j] = Math.max(low[j]!, lambdas[j]!);
      else high[j] = Math.min(high[j]!, lambdas[j]!);
      const next = nextLambda(lambdas[j]!, first, second, low[j]!, high[j]!);
      const moved = Math.abs(next - lambdas[j]!);
      lambdas[j] = next;
      return moved > SMALLEST_STEP * Math.max(1, Math.abs(next));
    });
  }
  return Float32Array.from(lambdas);
}

/** Newton's step where it leads uphill and stays between the bounds, else a long one, or half the way. */
function nextLambda(lambda: number, first: number, second: number, low: number, high: number): number {
  const longest = 2 * Math.max(1, Math.abs(lambda));
  const wanted = second < 0 ? -first / second : Math.sign(first) * longest;
  const next = lambda + Math.max(-longest, Math.min(longest, wanted));
  return next > low && next < high
    ? next
    : next === lambda
      ? lambda
      : (Math.max(low, Math.min(high, next)) + lambda) / 2;
}

/** First and second derivative of the mean log-likelihood. */
function derivatives(sums: Sums, at: number, n: number, slope: number): [first: number, second: number] {
  const [w, w1, w2] = [sums.w[at]! / n, sums.w1[at]! / n, sums.w2[at]! / n];
  const variance = sums.ww[at]! / n - w * w;
  const v1 = 2 * (sums.ww1[at]! / n - w * w1);
  const v2 = 2 * (sums.w1w1[at]! / n - w1 * w1 + sums.ww2[at]! / n - w * w2);
  return [slope - v1 / variance / 2, (v1 / variance) ** 2 / 2 - v2 / variance / 2];
}

/** Of each column the sum of sign(x)·log(1 + |x|), and the lambdas that MOST_EXPONENT allows. */
async function boundsOf(rows: Rows) {
  const d = rows.cols;
  const slope = new Float64Array(d);
  const [largest, lowest] = [new Float64Array(d), new Float64Array(d)];
  for await (const { X } of blocksOf(rows)) {
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < d; j++, at++) {
        const x = X.data[at]!;
        const t = x >= 0 ? Math.log1p(x) : -Math.log1p(-x);
        slope[j]! += t;
        largest[j] = Math.max(largest[j]!, t);
        lowest[j] = Math.min(lowest[j]!, t);
      }
    }
  }
  return {
    slope,
    low: lowest.map((t) => (t < 0 ? 2 + MOST_EXPONENT / t : -Infinity)),
    high: largest.map((t) => MOST_EXPONENT / t),
  };
}

/** One pass: the sums of the columns `open` at their lambdas. */
async function sumsAt(rows: Rows, open: Int32Array, lambdas: Float64Array, mean: Float64Array): Promise<Sums> {
  const empty = (): Float64Array => new Float64Array(open.length);
  const sums: Sums = { w: empty(), w1: empty(), w2: empty(), ww: empty(), w1w1: empty(), ww1: empty(), ww2: empty() };
  const [shift, found] = [new Float64Array(3 * open.length), new Float64Array(3)];
  for (const [at, j] of open.entries()) {
    withDerivatives(mean[j]!, lambdas[j]!, found);
    shift.set(found, 3 * at);
  }
  for await (const { X } of blocksOf(rows)) {
    for (let i = 0; i < X.rows; i++) {
      for (let at = 0; at < open.length; at++) {
        const j = open[at]!;
        withDerivatives(X.data[i * X.cols + j]!, lambdas[j]!, found);
        const w = found[0]! - shift[3 * at]!;
        const w1 = found[1]! - shift[3 * at + 1]!;
        const w2 = found[2]! - shift[3 * at + 2]!;
        sums.w[at]! += w;
        sums.w1[at]! += w1;
        sums.w2[at]! += w2;
        sums.ww[at]! += w * w;
        sums.w1w1[at]! += w1 * w1;
        sums.ww1[at]! += w * w1;
        sums.ww2[at]! += w * w2;
      }
    }
  }
  return sums;
}

/** The transformed value and its first two derivatives by lambda, into `out`. */
function withDerivatives(x: number, lambda: number, out: Float64Array): void {
  const exponent = x >= 0 ? lambda : 2 - lambda;
  const sign = x >= 0 ? 1 : -1;
  const t = Math.log1p(x >= 0 ? x : -x);
  const e = exponent * t;
  if (Math.abs(e) < SMALL_EXPONENT) {
    out[0] = sign * t * (1 + e / 2 + (e * e) / 6);
    out[1] = t * t * (1 / 2 + e / 3 + (e * e) / 8);
    out[2] = sign * t * t * t * (1 / 3 + e / 4 + (e * e) / 10);
    return;
  }
  const less = Math.expm1(e);
  const value = less / exponent;
  const first = (t * (less + 1) - value) / exponent;
  out[0] = sign * value;
  out[1] = first;
  out[2] = (sign * (t * t * (less + 1) - 2 * first)) / exponent;
}
