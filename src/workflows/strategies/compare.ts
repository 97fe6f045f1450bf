import { holm } from '../../classify/evaluate/holm.ts';
import { differenceInterval, mcNemar, pairedT } from '../../classify/evaluate/paired-tests.ts';
import type { StrategyTrial } from '../../results/strategies-result.ts';
import { scoreOf, type Answers } from './answers.ts';

/** A trial with what it says of the validated images. */
export interface Tried {
  readonly trial: Omit<StrategyTrial, 'accuracy' | 'interval' | 'logLoss' | 'comparison'>;
  readonly answers: Answers;
}

/**
 * The frozen head, and each other trial with its comparison: all of them were set down before they were run, so that
 * Holm's adjustment for their number is enough.
 */
export function comparedTrials(frozen: Tried, others: readonly Tried[]): StrategyTrial[] {
  const truth = frozen.answers.truth;
  const paired = others.map(({ answers }) => ({
    counts: mcNemar(truth, answers.guess, frozen.answers.guess),
    logLossPValue: pairedT(answers.losses, frozen.answers.losses),
  }));
  const adjusted = holm(paired.map(({ counts }) => counts.pValue));
  const logLossAdjusted = holm(paired.map(({ logLossPValue }) => logLossPValue));
  const base = scoreOf(frozen.answers);
  return [
    { ...frozen.trial, ...base, comparison: null },
    ...others.map(({ trial, answers }, i): StrategyTrial => {
      const { counts, logLossPValue } = paired[i]!;
      const score = scoreOf(answers);
      const { onlyFirst, onlySecond, pValue } = counts;
      return {
        ...trial,
        ...score,
        comparison: {
          difference: (onlyFirst - onlySecond) / truth.length,
          interval: differenceInterval(counts, truth.length),
          onlyThis: onlyFirst,
          onlyFrozen: onlySecond,
          pValue,
          adjusted: adjusted[i]!,
          logLossDifference: score.logLoss - base.logLoss,
          logLossPValue,
          logLossAdjusted: logLossAdjusted[i]!,
        },
      };
    }),
  ];
}
