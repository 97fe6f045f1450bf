/** ln Γ(x) for x > 0: Lanczos' approximation (1964), g = 7, nine terms; relative error about 1e-15. */
function lnGamma(x: number): number {
  const [first, ...others] = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ] as const;
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x);
  const t = x + 6.5;
  const sum = others.reduce((total, term, i) => total + term / (x + i), first as number);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** I_x(a, b), the regularised incomplete beta function: DLMF 8.17.22, its continued fraction by Lentz's method. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const least = 1e-300;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let [value, c, d] = [1, 1, 0];
  for (let i = 0; i <= 1000; i++) {
    const m = Math.floor(i / 2);
    const term =
      i === 0
        ? 1
        : i % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + term * d || least);
    c = 1 + term / c || least;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * (value - 1);
}

/** P(|T| >= |t|) of Student's t distribution with `freedom` degrees of freedom. */
export function studentTwoSided(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

const density = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/**
 * P(Z > x) of the standard normal distribution: the series of Marsaglia (2004, Journal of Statistical Software 11:4),
 * in the tail Laplace's continued fraction, so that small values keep their digits.
 */
export function normalTail(x: number): number {
  if (x < -3) return 1 - normalTail(-x);
  if (x > 3) {
    let fraction = x;
    for (let i = 100; i > 0; i--) fraction = x + i / fraction;
    return density(x) / fraction;
  }
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) sum += term *= (x * x) / i;
  return 0.5 - sum * density(x);
}

/** The z whose P(|Z| >= z) is p: 0 for 1, infinite for 0. */
export function normalDeviate(p: number): number {
  if (p <= 0) return Infinity;
  let [low, high] = [0, 40];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (2 * normalTail(middle) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Between the points of the integral below: that of a smooth curve by trapezoids, exact to about 1e-12. */
const STEP = 0.05;

/**
 * P(R >= q), R the range of `k` independent standard normal values: the studentized range with infinite degrees of
 * freedom (Tukey 1953), as the integral over the largest value x of k φ(x) (Φ(x)^(k-1) - (Φ(x) - Φ(x - q))^(k-1)).
 */
export function rangeTail(q: number, k: number): number {
  if (q <= 0) return 1;
  if (q === Infinity) return 0;
  let sum = 0;
  for (let x = -9; x <= 15; x += STEP) {
    const below = normalTail(-x);
    const share = Math.min(1, normalTail(q - x) / below);
    // 1 - (1 - share)^(k - 1), also where the share is below the last digit of one.
    const out = share === 1 ? 1 : -Math.expm1((k - 1) * Math.log1p(-share));
    sum += k * density(x) * below ** (k - 1) * out;
  }
  return Math.min(1, sum * STEP);
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
