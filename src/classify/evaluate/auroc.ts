/**
 * Area under the ROC curve: the part of positive and negative pairs in which the positive is larger, ties half (Mann
 * and Whitney 1947; scikit-learn's roc_auc_score). 0.5 is a guess; NaN where one side is empty.
 */
export function auroc(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  const pairs = positives.length * negatives.length;
  if (pairs === 0) return NaN;
  const sorted = Float64Array.from(negatives).sort();
  let above = 0;
  for (let i = 0; i < positives.length; i++) {
    const value = positives[i]!;
    above += (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / 2;
  }
  return above / pairs;
}

/** How many of the sorted values lie below `value`, or are equal to it where `orEqual` says so. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
