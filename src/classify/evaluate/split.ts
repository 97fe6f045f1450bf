import { PermafrostError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';

/** Row numbers of the two sides, each in ascending order. */
export interface TrainVal {
  readonly train: number[];
  readonly val: number[];
}

/** What decides a split besides the labels. */
export interface SplitOptions {
  /** A stable name for each row, such as its path; it identifies the row, so that their order does not matter. */
  readonly keys: readonly string[];
  readonly seed: number;
}

/**
 * Holds out `valFraction` (0 to 1, exclusive) of each class, rounded: of two rows or more at least one and not all, of
 * one none. Deterministic by seed and keys, whatever the order of rows or other classes. Throws FIT_INVALID.
 */
export function stratifiedSplit(
  labels: readonly string[],
  { keys, valFraction, seed }: SplitOptions & { readonly valFraction: number },
): TrainVal {
  if (!(valFraction > 0 && valFraction < 1)) {
    throw new PermafrostError('FIT_INVALID', `valFraction must lie between 0 and 1, got ${valFraction}.`);
  }
  const held = new Set<number>();
  for (const rows of shuffledClasses(labels, keys, seed)) {
    const count = Math.min(rows.length - 1, Math.max(1, Math.round(rows.length * valFraction)));
    for (const at of rows.slice(0, count)) held.add(at);
  }
  return sides(labels.length, (at) => held.has(at));
}

/** What decides folds besides the labels. */
export interface FoldOptions extends SplitOptions {
  readonly nSplits: number;
  /** Rows of one group (copies of one picture) share the fold of the first one dealt. By default each is its own. */
  readonly groups?: readonly string[];
}

/**
 * `nSplits` folds (2 or more); each row is validated in one. Folds differ by one row at most, overall and in each
 * class. The order of rows does not matter. Throws FIT_INVALID for fewer rows than folds.
 */
export function stratifiedKFold(
  labels: readonly string[],
  { keys, nSplits, seed, groups = keys }: FoldOptions,
): TrainVal[] {
  if (!Number.isInteger(nSplits) || nSplits < 2 || nSplits > labels.length) {
    throw new PermafrostError(
      'FIT_INVALID',
      `nSplits must be an integer from 2 to the number of rows, ${labels.length}; got ${nSplits}.`,
    );
  }
  const foldOf = new Int32Array(labels.length);
  const foldOfGroup = new Map<string, number>();
  let dealt = 0;
  // The next class goes on where the last one stopped: else the first folds would get every remainder.
  for (const rows of shuffledClasses(labels, keys, seed))
    for (const at of rows) {
      const fold = foldOfGroup.get(groups[at]!) ?? dealt++ % nSplits;
      foldOfGroup.set(groups[at]!, fold);
      foldOf[at] = fold;
    }
  return Array.from({ length: nSplits }, (_, fold) => sides(labels.length, (at) => foldOf[at] === fold));
}

/** The rows of each class, classes in code unit order, each shuffled from the order of its keys with the seed. */
function shuffledClasses(labels: readonly string[], keys: readonly string[], seed: number): number[][] {
  if (labels.length !== keys.length || new Set(keys).size !== keys.length) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A split needs one distinct key a row: got ${labels.length} labels and ${keys.length} keys, ${new Set(keys).size} of them distinct.`,
    );
  }
  const classes = new Map<string, number[]>();
  labels.forEach((label, at) => {
    const rows = classes.get(label);
    if (rows === undefined) classes.set(label, [at]);
    else rows.push(at);
  });
  return [...classes.keys()].sort().map((label) => {
    const rows = classes.get(label)!.sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
    return random(seed).shuffle(rows);
  });
}

function sides(rows: number, isVal: (at: number) => boolean): TrainVal {
  const train: number[] = [];
  const val: number[] = [];
  for (let at = 0; at < rows; at++) (isVal(at) ? val : train).push(at);
  return { train, val };
}
