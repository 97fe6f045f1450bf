/** The k smallest values, in order, equal ones by index. A sorted array: most offers end at the first comparison. */
export interface TopK {
  readonly k: number;
  /** The largest value kept once k are kept, before that Infinity: only a smaller one can still enter. */
  readonly bound: () => number;
  offer(value: number, index: number): void;
  /** What is kept, in order. */
  readonly indices: Int32Array;
  readonly values: Float64Array;
  readonly count: () => number;
  clear(): void;
}

export function topK(k: number): TopK {
  const indices = new Int32Array(k);
  const values = new Float64Array(k);
  let kept = 0;
  const before = (value: number, index: number, at: number): boolean =>
    value < values[at]! || (value === values[at]! && index < indices[at]!);
  return {
    k,
    indices,
    values,
    count: () => kept,
    bound: () => (kept < k ? Infinity : values[k - 1]!),
    offer(value, index) {
      if (kept === k && !before(value, index, k - 1)) return;
      let at = kept < k ? kept++ : k - 1;
      for (; at > 0 && before(value, index, at - 1); at--) {
        values[at] = values[at - 1]!;
        indices[at] = indices[at - 1]!;
      }
      values[at] = value;
      indices[at] = index;
    },
    clear() {
      kept = 0;
    },
  };
}
