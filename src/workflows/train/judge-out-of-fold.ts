import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import {
  crossValidated,
  isBeaten,
  type CrossValidated,
  type NamedOutOfFold,
} from '../../classify/cross-validation/choice.ts';
import { temperatureOf } from '../../classify/out-of-fold/fold-temperatures.ts';
import { outOfFold, type OutOfFold } from '../../classify/out-of-fold/out-of-fold.ts';
import { refitsOf, type Refits } from '../../classify/out-of-fold/refits.ts';
import { scalesProbabilities } from '../../classify/heads/index.ts';
import type { Work } from '../work.ts';
import type { HeldOutRows } from './held-out-rows.ts';
import { headOf, type TrainingPlan } from './plan.ts';

/** What a head said of training images that it had not seen, with its figures. */
export interface JudgedOutOfFold extends NamedOutOfFold {
  /** SHA-256 of the file of each judged image. */
  readonly contents: readonly string[];
  readonly figures: CrossValidated;
}

/** What fits of a plan on parts of the training images give. */
export interface OutOfFoldWork {
  /** The fits. Of a sample where not all training images are in memory. */
  readonly refits?: Refits | undefined;
  /** Undefined where no image could be judged: why. */
  readonly judged?: JudgedOutOfFold;
  readonly problem?: string;
  /** What the head's probabilities are scaled by; undefined of heads whose own are kept. */
  readonly temperature?: number;
  /** Milliseconds of normalising, and of what all fits share. */
  readonly preparedMs: number;
}

interface Race {
  /** Who is beaten by it on the first folds is not judged on the others. */
  readonly best?: JudgedOutOfFold | undefined;
  /** The rows normalised, where they were before. */
  readonly known?: Matrix | undefined;
}

/**
 * Fits the plan's head without each fold in turn, and judges that fold. What the head says out of fold serves three
 * ends: the choice among heads, one temperature of its probabilities, and its rule for "unknown". A head that cannot be
 * fitted on a part of the images is not judged, and says why. Throws what else the fits throw, and INTERRUPTED.
 */
export async function judgeOutOfFold(
  plan: TrainingPlan,
  heldOut: HeldOutRows,
  { signal, listener }: Work,
  { best, known }: Race = {},
): Promise<OutOfFoldWork> {
  const { keys, contents, folds } = heldOut;
  const context = signal && { signal };
  const started = performance.now();
  if (heldOut.problem !== undefined) return { problem: heldOut.problem, preparedMs: 0 };
  let done = 0;
  const keysOf = ({ rows: judged }: OutOfFold): string[] => judged.map((i) => keys[i]!);
  try {
    const refits = await refitsOfPlan(plan, heldOut, { ...(signal && { signal }) }, known);
    const preparedMs = performance.now() - started;
    const found = await outOfFold(refits, folds, {
      context,
      progress: () =>
        listener?.progress?.({
          stage: `cross-validating ${plan.head}`,
          done: ++done,
          total: folds.length,
          perSecond: 0,
        }),
      isBeaten: (soFar) => best !== undefined && isBeaten({ found: soFar, keys: keysOf(soFar) }, best),
    });
    const isScaled = scalesProbabilities(plan.head);
    return {
      refits,
      judged: {
        found,
        keys: keysOf(found),
        contents: found.rows.map((i) => contents[i]!),
        figures: crossValidated(found, isScaled),
      },
      ...(isScaled && { temperature: temperatureOf(found) }),
      preparedMs,
    };
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'FIT_INVALID') throw error;
    return { problem: `on a part of the images: ${reasonOf(error)}`, preparedMs: performance.now() - started };
  }
}

/** The plan's fits on parts of the rows. Throws what preparing them throws. */
export const refitsOfPlan = (
  plan: TrainingPlan,
  { X, views, labels, parts }: HeldOutRows,
  { signal }: Work,
  known?: Matrix,
): Promise<Refits> =>
  refitsOf(
    headOf(plan),
    { X, labels, views, parts, normalize: plan.normalize },
    { context: signal && { signal }, known },
  );
