/** Two rows, a < b. */
export interface Pair {
  readonly a: number;
  readonly b: number;
}

export interface BestPairs<P extends Pair> {
  /** The best first. */
  readonly pairs: P[];
  /** How many were offered, those left out too. */
  readonly total: number;
}

/**
 * Keeps the `most` best pairs of any number that is offered, in memory of 2 `most`; `order`: below zero, p is better.
 */
export function bestPairs<P extends Pair>(order: (p: P, q: P) => number, most: number) {
  let found: P[] = [];
  let total = 0;
  let last: P | undefined;
  return {
    offer(pair: P): void {
      total++;
      // So many are better already.
      if (last !== undefined && order(last, pair) <= 0) return;
      found.push(pair);
      if (found.length < 2 * most) return;
      found = found.sort(order).slice(0, most);
      last = found.at(-1);
    },
    best: (): BestPairs<P> => ({ pairs: found.sort(order).slice(0, most), total }),
  };
}
