import { stacked, type Matrix } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import { stratifiedKFold, type TrainVal } from '../evaluate/split.ts';
import type { FitContext } from '../head.ts';
import { encodeLabels } from '../labels.ts';
import { fitsOn, type PartFits } from './refits.ts';

/** Parts of the training images that are held out in turn. */
const FOLDS = 5;

/** What tells training rows from each other. */
export interface RowNames {
  /** A stable name for each row, and which rows are copies of one picture: copies are in one fold. */
  readonly keys: readonly string[];
  readonly groups: readonly string[];
  readonly seed: number;
}

/**
 * Folds of the training rows, `val` in the order of the keys. A row whose class would not be trained on without it (one
 * image, or copies of one) is held out in no fold. Empty where nothing can be held out.
 */
export function trainingFolds(labels: readonly string[], { keys, groups, seed }: RowNames): TrainVal[] {
  const nSplits = Math.min(FOLDS, new Set(groups).size);
  if (nSplits < 2) return [];
  return stratifiedKFold(labels, { keys, groups, nSplits, seed }).flatMap(({ train, val }) => {
    const trained = new Set(train.map((i) => labels[i]!));
    const judged = val.filter((i) => trained.has(labels[i]!));
    judged.sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
    const kept = val.filter((i) => !trained.has(labels[i]!));
    const all = [...train, ...kept].sort((a, b) => a - b);
    return judged.length === 0 || trained.size + new Set(kept.map((i) => labels[i]!)).size < 2
      ? []
      : [{ train: all, val: judged }];
  });
}

/** What heads say of training rows that they were not fitted on: each fold by a head that was fitted on the others. */
export interface OutOfFold {
  readonly classes: readonly string[];
  /** The folds that were judged, of how many: a head that is beaten is not judged on the rest. */
  readonly folds: readonly TrainVal[];
  readonly ofFolds: number;
  /** The judged rows, fold by fold, and the class index of each. */
  readonly rows: readonly number[];
  readonly truth: Int32Array;
  /** Probabilities of the judged rows as the head gives them, not scaled, shape (rows, classes). */
  readonly P: Matrix;
  /** Their logits, of heads that have some. */
  readonly logits?: Matrix;
  /** FittedHead's. */
  readonly leastShare?: number;
}

export interface OutOfFoldTask {
  /** Asked after each fold that costs a fit of its own, but the last: whether the rest need not be judged. */
  readonly isBeaten?: (soFar: OutOfFold) => boolean;
  readonly context?: FitContext | undefined;
  /** Called after each fit. */
  readonly progress?: () => void;
}

/** Judges the rows of each fold by a head fitted on the others. Throws what the fits throw, and INTERRUPTED. */
export async function outOfFold(
  refits: PartFits,
  folds: readonly TrainVal[],
  { isBeaten, context, progress }: OutOfFoldTask = {},
): Promise<OutOfFold> {
  const { classes, indices } = encodeLabels(refits.labels);
  const judged: { readonly P: Matrix; readonly logits: Matrix | undefined; readonly leastShare: number | undefined }[] =
    [];
  const soFar = (): OutOfFold => {
    const own = folds.slice(0, judged.length);
    const rows = own.flatMap(({ val }) => val);
    const logits = judged.flatMap((one) => one.logits ?? []);
    const { leastShare } = judged[0]!;
    return {
      classes,
      folds: own,
      ofFolds: folds.length,
      rows,
      truth: Int32Array.from(rows, (i) => indices[i]!),
      P: stacked(judged.map(({ P }) => P)),
      ...(logits.length === judged.length && { logits: stacked(logits) }),
      ...(leastShare !== undefined && { leastShare }),
    };
  };
  const fits = fitsOn(
    refits,
    folds.map(({ train }) => train),
  );
  for await (const fit of fits) {
    checkAborted(context);
    const { head } = fit;
    const X = fit.seen(folds[judged.length]!.val);
    const { leastShare } = head;
    judged.push({ P: await head.predictProba(X), logits: await head.logits?.(X), leastShare });
    progress?.();
    if (!refits.shared && judged.length < folds.length && isBeaten?.(soFar()) === true) break;
  }
  return soFar();
}
