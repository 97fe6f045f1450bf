/** The least number of known rows with which a share of `rate` can be promised: 19 for 5 %. */
export function rowsForRate(rate: number): number {
  return Math.ceil(Number((1 / rate - 1).toPrecision(12)));
}

/** Which of n scores in ascending order, from 1, is the threshold: ceil((1 - rate)(n + 1)), perhaps above n. */
export function thresholdRank(n: number, rate: number): number {
  // Rounded to 12 digits before the ceiling: (1 - 0.05) * 20 must be 19, not 19 and a last bit.
  return Math.ceil(Number(((1 - rate) * (n + 1)).toPrecision(12)));
}

/**
 * The threshold above which at most a part `rate` of known rows is expected: the ceil((1 - rate)(n + 1))-th smallest
 * score of n known rows that no head was fitted on (split conformal prediction: Papadopoulos et al. 2002; Lei et al.
 * 2018, JASA 113, for exchangeable rows). Undefined where n is below `rowsForRate`.
 */
export function rejectThreshold(scores: ArrayLike<number>, rate: number): number | undefined {
  const rank = thresholdRank(scores.length, rate);
  return rank > scores.length ? undefined : Float64Array.from(scores).sort()[rank - 1];
}

/**
 * Whether a rule by these scores rejects what it may: where many are equal, as shares of votes are, the rows at the
 * threshold are not above it. False where more than half of the rate is lost so.
 */
export function keepsRate(scores: ArrayLike<number>, rate: number): boolean {
  const threshold = rejectThreshold(scores, rate);
  if (threshold === undefined) return false;
  const n = scores.length;
  const above = Array.from(scores).filter((score) => score > threshold).length;
  return (n - thresholdRank(n, rate) - above) / n <= rate / 2;
}

/** The score that a share of these lies above, on average of what they are drawn from: linear between two of them. */
export function scoreAtShare(scores: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(scores).sort();
  const at = Math.min(sorted.length, Math.max(1, (1 - share) * (sorted.length + 1))) - 1;
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}
