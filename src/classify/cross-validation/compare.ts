import { normalDeviate, rangeTail } from '../evaluate/distributions.ts';
import { mcNemar, pairedT } from '../evaluate/paired-tests.ts';
import { stratifiedSigns } from '../evaluate/stratified-signs.ts';
import type { SweepScore } from './cross-scores.ts';

/** The test of a score: McNemar's, its form with rows weighted by their class, the paired t test on log losses. */
export type PairedTest = 'mcnemar' | 'class-weighted-mcnemar' | 'paired-t';

/** The test by which heads are compared that are ranked by a score. */
const TEST_OF_SCORE: Readonly<Record<SweepScore, PairedTest>> = {
  accuracy: 'mcnemar',
  balancedAccuracy: 'class-weighted-mcnemar',
  logLoss: 'paired-t',
};

/** How a candidate compares with the best one on the same images, by the score that they are ranked by. */
export interface Comparison {
  /** Two-sided, of this candidate and the best alone: as if no others had been tried. */
  readonly pValue: number;
  /** Adjusted for the best having been chosen among all on these images. Not in what older versions wrote. */
  readonly adjusted?: number;
  /** Absent in what older versions wrote: McNemar's exact test with Holm's adjustment. */
  readonly test?: PairedTest;
  /** Whether the difference stands at 5 % after the adjustment. */
  readonly toldApart: boolean;
}

/** What a candidate said of the rows. */
export interface Answered {
  /** Class indices, shape (n). */
  readonly guess: Int32Array;
  /** Log loss of each row, shape (n): needed where that is the score. */
  readonly losses?: Float64Array | Float32Array | undefined;
}

/**
 * Each candidate against the first, the best, by the score's paired test. The best was chosen on the same rows, so any
 * two of the k candidates might have been compared: the adjusted p-value is the chance that the range of k equal ones
 * is as wide (Tukey's studentized range; Hsu 1996, Multiple Comparisons, chapter 4). Holm's adjustment for k - 1
 * comparisons tells equal candidates apart in up to 14 of 100 sets of 11, and 31 of 28 (bench/classify/tests.mjs).
 * `truth`: class indices (n). One comparison a candidate, the best's own first.
 */
export function compareWithBest(
  score: SweepScore,
  truth: Int32Array,
  answers: readonly Answered[],
  level = 0.05,
): Comparison[] {
  const [best, ...others] = answers;
  if (best === undefined) return [];
  const test = TEST_OF_SCORE[score];
  return [
    { pValue: 1, adjusted: 1, test, toldApart: false },
    ...others.map((other) => {
      const pValue = TESTS[test](truth, best, other);
      const adjusted = Math.max(pValue, rangeTail(Math.SQRT2 * normalDeviate(pValue), answers.length));
      return { pValue, adjusted, test, toldApart: adjusted <= level };
    }),
  ];
}

const TESTS: Readonly<Record<PairedTest, (truth: Int32Array, a: Answered, b: Answered) => number>> = {
  mcnemar: (truth, a, b) => mcNemar(truth, a.guess, b.guess).pValue,
  'class-weighted-mcnemar': (truth, a, b) => stratifiedSigns(truth, a.guess, b.guess),
  'paired-t': (_, a, b) => pairedT(lossesOf(a), lossesOf(b)),
};

function lossesOf({ losses }: Answered): Float64Array | Float32Array {
  if (losses === undefined) throw new Error('A comparison of log losses needs the loss of each row.');
  return losses;
}
