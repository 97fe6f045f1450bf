import { PermafrostError } from '../../core/errors.ts';
import type { FitContext } from '../head.ts';
import type { TrainVal } from '../evaluate/split.ts';
import type { Design } from './design.ts';
import { type LinearFit, fitLinear } from './linear-fit.ts';
import type { LinearTask } from './linear-problems.ts';
import type { StopRule } from './newton-cg.ts';

/** The optima for several C, in their order; from the smallest up, each from the last. Throws INTERRUPTED. */
export async function fitPath(
  design: Design,
  task: LinearTask,
  Cs: readonly number[],
  stop: StopRule,
  context?: FitContext,
): Promise<LinearFit[]> {
  const found = new Map<number, LinearFit>();
  let last: LinearFit | undefined;
  for (const C of [...new Set(Cs)].sort((a, b) => a - b)) {
    last = await fitLinear(design, task, { ...stop, C }, last, context);
    found.set(C, last);
  }
  return Cs.map((C) => found.get(C)!);
}

/** How one C did over all folds. */
export interface PathScore {
  readonly C: number;
  /** Share of the held-out rows of each fold that were right. */
  readonly accuracies: readonly number[];
  /** Their mean. */
  readonly accuracy: number;
  /** Logits that each row got when it was held out, shape (n, k); rows of no fold's `val` hold NaN. */
  readonly heldOut: Float64Array;
  readonly k: number;
  readonly converged: boolean;
  /** The most Newton steps of any fold, and the largest gradient left. */
  readonly iterations: number;
  readonly gradient: number;
}

/**
 * Cross-validates each C: all folds at the same time on one design. Its rows must be normalised row by row (`l2`,
 * `none`); standardised features need a design for each fold, each with its single fold. Throws FIT_INVALID for a fold
 * that lacks a class, INTERRUPTED.
 */
export async function crossValidatePath(
  design: Design,
  task: Omit<LinearTask, 'rows'>,
  Cs: readonly number[],
  folds: readonly TrainVal[],
  stop: StopRule,
  context?: FitContext,
): Promise<PathScore[]> {
  for (const { train } of folds) checkClasses(task, train);
  const paths = await Promise.all(
    folds.map(({ train }) => fitPath(design, { ...task, rows: train }, Cs, stop, context)),
  );
  return Cs.map((C, at) => {
    const fits = paths.map((path) => path[at]!);
    const { k } = fits[0]!;
    const heldOut = new Float64Array(design.rows * k).fill(NaN);
    const accuracies = folds.map(({ val }, fold) => {
      const { logits } = fits[fold]!;
      for (const i of val) heldOut.set(logits.subarray(i * k, (i + 1) * k), i * k);
      return val.filter((i) => chosen(logits, i, k) === task.y[i]).length / val.length;
    });
    return {
      C,
      accuracies,
      accuracy: accuracies.reduce((sum, value) => sum + value, 0) / folds.length,
      heldOut,
      k,
      converged: fits.every(({ converged }) => converged),
      iterations: Math.max(...fits.map(({ iterations }) => iterations)),
      gradient: Math.max(...fits.map(({ gradient }) => gradient)),
    };
  });
}

/** The C of the highest mean accuracy, the smallest of equals, as scikit-learn's LogisticRegressionCV. */
export function bestOf(path: readonly PathScore[]): PathScore {
  return path.reduce((best, one) =>
    one.accuracy > best.accuracy || (one.accuracy === best.accuracy && one.C < best.C) ? one : best,
  );
}

/** The class that row i of the logits chooses: of one column class 1 above zero, else the first of the highest. */
export function chosen(logits: Float64Array, i: number, k: number): number {
  if (k === 1) return Number(logits[i]! > 0);
  let best = 0;
  for (let c = 1; c < k; c++) if (logits[i * k + c]! > logits[i * k + best]!) best = c;
  return best;
}

function checkClasses({ y, classes }: Omit<LinearTask, 'rows'>, train: readonly number[]): void {
  const present = new Set(train.map((i) => y[i]!));
  if (present.size === classes) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `A fold trains on ${present.size} of ${classes} classes. Use fewer folds, or leave out classes with fewer rows than folds.`,
  );
}
