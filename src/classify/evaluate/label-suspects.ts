import { row, selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { applyNormalizer, fitNormalizer, type Normalization } from '../normalize.ts';
import type { Head } from '../head.ts';
import { stratifiedKFold } from './split.ts';

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

/**
 * Every row that can be judged under cross-validation, most suspect first, by the normalised margin of confident
 * learning (Northcutt, Jiang and Chuang 2021, JAIR 70). Copies share a fold, else each would vouch for the other.
 */
export async function rankSuspects(
  head: Head,
  X: Matrix,
  labels: readonly string[],
  { normalize, nSplits, seed, keys, groups, signal }: SuspectOptions,
): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
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
    val.forEach((at, i) => suspects.push(judged(at, labels[at]!, fitted.classes, row(P, i))));
  }
  return suspects.sort((a, b) => a.margin - b.margin || a.row - b.row);
}

function judged(at: number, label: string, classes: readonly string[], p: Float32Array): Suspect {
  const own = classes.indexOf(label);
  let other = own === 0 ? 1 : 0;
  for (let c = 0; c < p.length; c++) if (c !== own && p[c]! > p[other]!) other = c;
  // A class that is in no other fold is one that no head can give: nothing is known then.
  const margin = own === -1 ? 0 : p[own]! - p[other]!;
  return { row: at, label, suggested: classes[other]!, probability: p[other]!, margin };
}
