/** A row that was given another class than its own. */
export interface MisclassifiedRow {
  readonly row: number;
  /** Class indices. */
  readonly truth: number;
  readonly predicted: number;
  /** Probability of the predicted class. */
  readonly probability: number;
}

/** The surest mistakes among those added, in any order. */
export interface SurestMistakes {
  add(mistake: MisclassifiedRow): void;
  /** Surest first, equals in the order of their rows. */
  list(): MisclassifiedRow[];
}

const surer = (a: MisclassifiedRow, b: MisclassifiedRow): number => b.probability - a.probability || a.row - b.row;

/** Keeps the k surest mistakes. */
export function surestMistakes(k: number): SurestMistakes {
  const kept: MisclassifiedRow[] = [];
  return {
    add(mistake) {
      if (kept.length === k && (k === 0 || surer(mistake, kept[k - 1]!) > 0)) return;
      kept.push(mistake);
      kept.sort(surer);
      kept.length = Math.min(kept.length, k);
    },
    list: () => [...kept],
  };
}
