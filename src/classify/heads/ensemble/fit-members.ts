import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { selectRows, type Matrix } from '../../../core/matrix.ts';
import { checkAborted } from '../../checks.ts';
import type { FitContext, FittedHead, Head } from '../../head.ts';
import { scaledAcross, temperatureOf } from '../../out-of-fold/fold-temperatures.ts';
import { outOfFold, trainingFolds, type OutOfFold } from '../../out-of-fold/out-of-fold.ts';
import { scaledHead } from '../scaled-head.ts';
import type { Member } from './fitted-ensemble.ts';
import { ensembleWeights } from './weights.ts';

/** A member's fits on some of the rows. */
export interface MemberFits {
  readonly head: Head;
  readonly on: (rows: readonly number[]) => Promise<FittedHead>;
  readonly isShared: boolean;
}

interface MemberData {
  readonly X: Matrix;
  readonly rows: readonly number[];
  readonly y: readonly string[];
  readonly images: Int32Array;
  readonly seed: number;
  readonly context: FitContext | undefined;
}

/** Judges the members, weighs them, and fits those that have a weight. */
export async function fitMembers(
  all: readonly MemberFits[],
  { X, rows, y, images, seed, context }: MemberData,
  isScaled: (name: string) => boolean,
): Promise<{ readonly members: Member[]; readonly notes: string[] }> {
  const digits = String(rows.length).length;
  const keys = rows.map((_, i) => String(i).padStart(digits, '0'));
  const folds = trainingFolds(y, { keys, groups: Array.from(images, String), seed });
  const notes: string[] = [];
  const judged: { readonly fits: MemberFits; readonly found: OutOfFold | undefined }[] = [];
  for (const fits of all) {
    checkAborted(context);
    const member = {
      labels: y,
      shared: fits.isShared,
      on: async (part: readonly number[]) => ({
        head: await fits.on(part),
        seen: (some: readonly number[]) =>
          selectRows(
            X,
            some.map((at) => rows[at]!),
          ),
      }),
    };
    try {
      judged.push({ fits, found: folds.length > 0 ? await outOfFold(member, folds, { context }) : undefined });
    } catch (error) {
      if (!(error instanceof PermafrostError && ['FIT_INVALID', 'PACKAGE_MISSING'].includes(error.code))) throw error;
      notes.push(`${fits.head.name} is left out: ${reasonOf(error)}`);
    }
  }
  if (judged.length === 0) throw new PermafrostError('FIT_INVALID', `No member could be fitted: ${notes.join(' ')}`);
  const { temperatures, weights } = weighed(judged, isScaled);
  if (folds.length === 0) notes.push('no row could be held out: all members have the same weight, unscaled');
  const members: Member[] = [];
  const whole = Array.from(rows.keys());
  for (const [i, { fits }] of judged.entries()) {
    if (weights[i]! > 0) members.push({ head: scaledHead(await fits.on(whole), temperatures[i]), weight: weights[i]! });
  }
  notes.push(`votes: ${judged.map(({ fits }, i) => `${fits.head.name} ${weights[i]!.toFixed(2)}`).join(', ')}`);
  return { members, notes };
}

/** Of each judged member the temperature, where it has one, and the weight. */
function weighed(
  judged: readonly { readonly fits: MemberFits; readonly found: OutOfFold | undefined }[],
  isScaled: (name: string) => boolean,
): { readonly temperatures: readonly (number | undefined)[]; readonly weights: readonly number[] } {
  const founds = judged.flatMap(({ found }) => found ?? []);
  if (founds.length === 0)
    return { temperatures: judged.map(() => undefined), weights: judged.map(() => 1 / judged.length) };
  const temperatures = judged.map(({ fits }, i) => (isScaled(fits.head.name) ? temperatureOf(founds[i]!) : undefined));
  const answers = founds.map(({ truth, P, folds, leastShare }, i) => {
    if (temperatures[i] === undefined) return P;
    let next = 0;
    return scaledAcross(
      truth,
      P,
      folds.map(({ val }) => val.map(() => next++)),
      leastShare,
    );
  });
  return { temperatures, weights: ensembleWeights(founds[0]!.truth, answers) };
}
