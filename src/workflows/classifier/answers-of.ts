import { row, type Matrix } from '../../core/matrix.ts';
import { topClass } from '../../classify/evaluate/metrics.ts';
import type { Answer, LikelyClass } from '../../results/answer-results.ts';
import { noveltyOf, probabilities, type TrainedHead } from '../train/trained-head.ts';

/** The `count` likeliest classes, likeliest first, of equal ones that which the head names first. */
export function likeliest({ probabilities: of }: Pick<Answer, 'probabilities'>, count: number): LikelyClass[] {
  const all = Object.entries(of).map(([label, probability]) => ({ label, probability }));
  return all.sort((a, b) => b.probability - a.probability).slice(0, count);
}

/**
 * What a head says of raw features X, shape (n, width): an answer for each row, without neighbours. Throws FIT_INVALID
 * for features of another width.
 */
export async function answersOf(
  trained: Pick<TrainedHead, 'head' | 'normalizer' | 'reject'>,
  X: Matrix,
): Promise<Answer[]> {
  if (X.rows === 0) return [];
  const { classes } = trained.head;
  const P = await probabilities(trained, X);
  const judged = await noveltyOf(trained, X);
  return Array.from(topClass(P), (best, i) => {
    const p = row(P, i);
    const guess = classes[best]!;
    return {
      label: guess,
      guess,
      unknown: judged?.unknown[i] ?? false,
      probability: p[best]!,
      strangeness: judged && judged.strangeness[i]!,
      probabilities: Object.fromEntries(classes.map((label, c) => [label, p[c]!])),
      neighbors: [],
    };
  });
}
