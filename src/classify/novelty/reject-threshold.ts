/** The least number of known rows with which a share of `rate` can be promised: 19 for 5 %. */
export function rowsForRate(rate: number): number {
  return Math.ceil(Number((1 / rate - 1).toPrecision(12)));
}

/**
 * The threshold above which at most a part `rate` of known rows is expected: the ceil((1 - rate)(n + 1))-th smallest
 * score of n known rows that no head was fitted on (split conformal prediction: Papadopoulos et al. 2002; Lei et al.
 * 2018, JASA 113, for exchangeable rows). Undefined where n is below `rowsForRate`.
 */
export function rejectThreshold(scores: ArrayLike<number>, rate: number): number | undefined {
  const n = scores.length;
  // Rounded to 12 digits before the ceiling: (1 - 0.05) * 20 must be 19, not 19 and a last bit.
  const rank = Math.ceil(Number(((1 - rate) * (n + 1)).toPrecision(12)));
  return rank > n ? undefined : Float64Array.from(scores).sort()[rank - 1];
}
