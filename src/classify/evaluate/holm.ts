/**
 * p-values adjusted so that, of all that fall to `level` or below, the chance that any is wrong is at most `level`
 * (Holm 1979, Scandinavian Journal of Statistics 6:65): the i-th smallest of k times k - i + 1, never falling.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, pValues[i]! * (pValues.length - rank)));
    adjusted[i] = largest;
  }
  return adjusted;
}
