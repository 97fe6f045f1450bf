/**
 * The standard deviation of `rows` values from the sum of their squared deviations and their mean; 0 for equal values,
 * to which rounding can give a variance: scikit-learn's bound (_is_constant_feature, after Chan et al. 1979).
 */
export function standardDeviation(squares: number, mean: number, rows: number): number {
  const variance = squares / rows;
  const bound = rows * Number.EPSILON * variance + (rows * mean * Number.EPSILON) ** 2;
  return variance <= bound ? 0 : Math.sqrt(variance);
}
