import type { Matrix } from '../../core/matrix.ts';
import type { Sample } from '../../core/sample.ts';
import type { FittedHead } from '../../classify/head.ts';
import { applyNormalizer, type Normalizer } from '../../classify/normalize.ts';
import { detectUnknown, type Novelty, type Reject } from '../../classify/novelty/reject.ts';
import type { Strangeness } from '../../results/answer-results.ts';
import type { Confusion, HeadResult, Mistake } from '../../results/head-result.ts';
import type { JudgedOutOfFold } from './judge-out-of-fold.ts';
import type { HeadPart } from '../../store/read/heads/head-file.ts';

/** A fitted head with what it takes to answer for raw features, and its figures on the validated images. */
export interface TrainedHead {
  readonly head: FittedHead;
  readonly normalizer: Normalizer;
  /** What stands side by side in the features. */
  readonly parts: readonly HeadPart[];
  /** Of a head that left its training rows in the store: their digest, and the views among them. */
  readonly rows?: { readonly digest: string; readonly views: number };
  /** Images that counted under another label or split than the store's (labelled-store.ts). */
  readonly relabelled?: readonly Sample[];
  /** When it answers "unknown"; without it, never. */
  readonly reject?: Reject;
  /** What heads like it said of training images that they had not seen; absent where none was judged so. */
  readonly outOfFold?: JudgedOutOfFold;
  /** With a rule for "unknown", the novelty score of each training image that was judged out of fold, in that order. */
  readonly noveltyOutOfFold?: Float64Array;
  readonly result: Omit<HeadResult, 'file'>;
  /**
   * Classes of the validated images, true and predicted, in the order of their paths: indices into the head's, -1 for a
   * true one that the head does not know. And -ln(probability of the true class) of each.
   */
  readonly judged: { readonly truth: Int32Array; readonly guess: Int32Array; readonly losses: Float64Array };
  readonly confusion: Confusion;
  /** The ten surest. */
  readonly mistakes: readonly Mistake[];
}

/** Probability of each class for raw features X, shape (n, classes). */
export function probabilities(
  { head, normalizer }: Pick<TrainedHead, 'head' | 'normalizer'>,
  X: Matrix,
): Promise<Matrix> {
  return head.predictProba(applyNormalizer(normalizer, X));
}

/**
 * How strange each row of raw features X is, and which are unknown, shape (n); null for a head without a rule for that.
 */
export async function noveltyOf(
  { head, normalizer, reject }: Pick<TrainedHead, 'head' | 'normalizer' | 'reject'>,
  X: Matrix,
): Promise<(Novelty & { readonly strangeness: readonly Strangeness[] }) | null> {
  if (reject === undefined || X.rows === 0) return null;
  const { measure, threshold, rate } = reject;
  const found = await detectUnknown(reject, head, applyNormalizer(normalizer, X));
  const strangeness = Array.from(found.scores, (value, i) => {
    return { measure, threshold, rate, value, lessStrange: found.lessStrange[i]! };
  });
  return { ...found, strangeness };
}
