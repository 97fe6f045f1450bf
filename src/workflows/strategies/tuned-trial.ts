import type { FinetuneEpoch, FinetuneResult } from '../../results/finetune-result.ts';
import type { StrategyCurve, StrategyEpoch, StrategyHeldOut, StrategyName } from '../../results/strategies-result.ts';
import type { Tried } from './compare.ts';

const epochOf = ({ epoch, heldOut, val }: FinetuneEpoch): StrategyEpoch => ({
  epoch,
  heldOut: heldOut === undefined ? null : { accuracy: heldOut.accuracy, logLoss: heldOut.logLoss },
  val: { accuracy: val.accuracy, logLoss: val.logLoss },
});

/** Without an exponent. */
const rateText = (rate: number): string => rate.toFixed(10).replace(/0+$/, '');

/** The search's curves, one a rate, and that of training on all of Train. */
function curvesOf({ trials, refit }: FinetuneResult): StrategyCurve[] {
  return [
    ...trials.map(({ rate, epochs }) => ({
      name: `rate ${rateText(rate)}, four fifths of Train`,
      epochs: epochs.map(epochOf),
    })),
    ...(refit.length > 0 ? [{ name: 'all of Train', epochs: refit.map(epochOf) }] : []),
  ];
}

/** The best candidate beside the frozen head of the same four fifths, on the fifth that was held out. */
function heldOutOf({ trials, choice, heldOut }: FinetuneResult): StrategyHeldOut | null {
  const best = trials.find(({ rate }) => rate === choice.rate)?.epochs.find(({ epoch }) => epoch === choice.epochs);
  const before = trials[0]?.epochs[0]?.heldOut;
  if (best?.heldOut === undefined || before === undefined) return null;
  const { accuracy, logLoss } = best.heldOut;
  const frozen = { accuracy: before.accuracy, logLoss: before.logLoss };
  return { by: 'part', images: heldOut, accuracy, logLoss, frozen };
}

/** A fine-tuning as one of the trials. Where the frozen head is kept, its figures are those of the trial. */
export function tunedTrial(
  { strategy, name }: { readonly strategy: StrategyName; readonly name: string },
  result: FinetuneResult,
  { seconds, peakBytes }: { readonly seconds: number; readonly peakBytes: number },
): Tried {
  const { choice, frozen, tuned, comparison, C } = result;
  const { kept, rate, epochs } = choice;
  const { accuracy, logLoss, interval } = (tuned ?? frozen)!;
  return {
    trial: {
      ...{ strategy, name, accuracy, interval, logLoss, seconds, peakBytes, kept },
      heldOut: heldOutOf(result),
      curves: curvesOf(result),
      chosen: { rate, epochs, ...(C !== null && { C }) },
      remarks: [...(result.limit?.reason ? [result.limit.reason] : []), choice.reason],
      file: result.file,
    },
    paired: {
      accuracy: comparison?.accuracy ?? { onlyFirst: 0, onlySecond: 0, pValue: 1 },
      logLossPValue: comparison?.logLossPValue ?? 1,
      frozenLogLoss: frozen!.logLoss,
    },
  };
}
