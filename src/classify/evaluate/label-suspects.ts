import { selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { applyNormalizer, fitNormalizer, type Normalization } from '../normalize.ts';
import type { Head } from '../head.ts';
import { stratifiedKFold } from './split.ts';

/** Float32 probabilities are compared with their mean up to so much. */
const ROUNDING = 1e-6;

/** A row whose label the others contradict. */
export interface Suspect {
  readonly row: number;
  readonly label: string;
  /** The class that a head which never saw this row gives it. */
  readonly suggested: string;
  readonly probability: number;
  /** Probability of the label minus that of the likeliest other class, -1 to 1: the lower, the more suspect. */
  readonly margin: number;
}

export interface SuspectOptions {
  readonly normalize: Normalization;
  readonly nSplits: number;
  readonly seed: number;
  /** A stable name for each row, and which rows are copies of one picture. */
  readonly keys: readonly string[];
  readonly groups: readonly string[];
  readonly signal?: AbortSignal;
}

export interface JudgedLabels {
  /** Every row that can be judged, the most suspect first. */
  readonly ranked: readonly Suspect[];
  /** How many labels are wrong, by confident learning: so many of the first ones are worth a look. */
  readonly estimated: number;
}

/**
 * Probabilities of heads that never saw a row, by row: a number for each class, 0 for one that the head did not know.
 */
export type OutOfFold = ReadonlyMap<number, Float32Array>;

export async function outOfFold(
  head: Head,
  X: Matrix,
  labels: readonly string[],
  classes: readonly string[],
  { normalize, nSplits, seed, keys, groups, signal }: SuspectOptions,
): Promise<{ readonly probabilities: OutOfFold; readonly unknown: ReadonlySet<number> }> {
  const probabilities = new Map<number, Float32Array>();
  const unknown = new Set<number>();
  for (const { train, val } of stratifiedKFold(labels, { keys, groups, nSplits, seed })) {
    // Where nearly all rows are copies of one picture the rest may be of one class: no head can tell anything then.
    if (new Set(train.map((at) => labels[at]!)).size < 2) continue;
    const [known, held] = [selectRows(X, train), selectRows(X, val)];
    const normalizer = await fitNormalizer(normalize, matrixRows(known));
    const fitted = await head.fit(
      matrixRows(applyNormalizer(normalizer, known)),
      train.map((at) => labels[at]!),
      signal && { signal },
    );
    const P = await fitted.predictProba(applyNormalizer(normalizer, held));
    const columns = fitted.classes.map((name) => classes.indexOf(name));
    val.forEach((at, i) => {
      const p = new Float32Array(classes.length);
      for (const [c, column] of columns.entries()) p[column] = P.data[i * P.cols + c]!;
      probabilities.set(at, p);
      if (!fitted.classes.includes(labels[at]!)) unknown.add(at);
    });
  }
  return { probabilities, unknown };
}

/**
 * How many labels are wrong: rows whose likeliest class is another one, and is given at least the probability that rows
 * under its label get on average (Northcutt, Jiang and Chuang 2021, JAIR 70: the off-diagonal of the confident joint).
 */
export function countErrors(probabilities: OutOfFold, labels: readonly number[], classes: number): number {
  const sums = new Float64Array(classes);
  const counts = new Float64Array(classes);
  for (const [row, p] of probabilities) {
    sums[labels[row]!]! += p[labels[row]!]!;
    counts[labels[row]!]!++;
  }
  const usual = sums.map((sum, c) => (counts[c] === 0 ? Infinity : sum / counts[c]!));
  let errors = 0;
  for (const [row, p] of probabilities) {
    const own = labels[row]!;
    const likeliest = p.indexOf(Math.max(...p));
    if (likeliest === own) continue;
    const confident = Array.from(p.keys()).filter((c) => p[c]! >= usual[c]! - ROUNDING);
    // With several the likeliest counts; with one alone, that one: it may be the label itself.
    if (confident.length > 1 || (confident.length === 1 && confident[0] !== own)) errors++;
  }
  return errors;
}

/**
 * Ranks rows by the normalised margin of confident learning under cross-validation, and tells how many labels are
 * wrong. Copies share a fold, else each would vouch for the other.
 */
export async function judgeLabels(
  head: Head,
  X: Matrix,
  labels: readonly string[],
  options: SuspectOptions,
): Promise<JudgedLabels> {
  const classes = [...new Set(labels)].sort();
  const numbers = labels.map((label) => classes.indexOf(label));
  const { probabilities, unknown } = await outOfFold(head, X, labels, classes, options);
  const ranked = Array.from(probabilities, ([row, p]) => judged(row, numbers[row]!, classes, p, !unknown.has(row)));
  return {
    ranked: ranked.sort((a, b) => a.margin - b.margin || a.row - b.row),
    estimated: countErrors(new Map([...probabilities].filter(([row]) => !unknown.has(row))), numbers, classes.length),
  };
}

function judged(row: number, own: number, classes: readonly string[], p: Float32Array, isKnown: boolean): Suspect {
  let other = own === 0 ? 1 : 0;
  for (let c = 0; c < p.length; c++) if (c !== own && p[c]! > p[other]!) other = c;
  // A class that is in no other fold is one that no head can give: nothing is known then.
  const margin = isKnown ? p[own]! - p[other]! : 0;
  return { row, label: classes[own]!, suggested: classes[other]!, probability: p[other]!, margin };
}
