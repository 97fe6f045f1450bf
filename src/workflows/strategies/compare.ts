import { holm } from '../../classify/evaluate/holm.ts';
import { accuracyDifference, mcNemar, pairedT, type McNemar } from '../../classify/evaluate/paired-tests.ts';
import type { StrategyTrial } from '../../results/strategies-result.ts';
import { scoreOf, type Answers } from './answers.ts';

/** A trial, and its paired tests beside the frozen head on the same validated images. */
export interface Tried {
  readonly trial: Omit<StrategyTrial, 'comparison'>;
  readonly paired: {
    /** The first is the trial. */
    readonly accuracy: McNemar;
    readonly logLossPValue: number;
    /** Log loss of the frozen head. */
    readonly frozenLogLoss: number;
  };
}

/** A trial by its answers, beside those of the frozen head. */
export const pairedWith = (
  trial: Omit<StrategyTrial, 'comparison' | 'accuracy' | 'interval' | 'logLoss'>,
  answers: Answers,
  frozen: Answers,
): Tried => ({
  trial: { ...trial, ...scoreOf(answers) },
  paired: {
    accuracy: mcNemar(frozen.truth, answers.guess, frozen.guess),
    logLossPValue: pairedT(answers.losses, frozen.losses),
    frozenLogLoss: scoreOf(frozen).logLoss,
  },
});

/**
 * All trials with their comparisons on `images` validated images. They were set down before they were run, so that
 * Holm's adjustment for their number is enough.
 */
export function comparedTrials(tried: readonly Tried[], images: number): StrategyTrial[] {
  const adjusted = holm(tried.map(({ paired }) => paired.accuracy.pValue));
  const logLossAdjusted = holm(tried.map(({ paired }) => paired.logLossPValue));
  return tried.map(({ trial, paired: { accuracy, logLossPValue, frozenLogLoss } }, i) => ({
    ...trial,
    comparison: {
      ...accuracyDifference(accuracy, images),
      onlyThis: accuracy.onlyFirst,
      onlyFrozen: accuracy.onlySecond,
      pValue: accuracy.pValue,
      adjusted: adjusted[i]!,
      logLossDifference: trial.logLoss - frozenLogLoss,
      logLossPValue,
      logLossAdjusted: logLossAdjusted[i]!,
    },
  }));
}
