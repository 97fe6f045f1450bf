import type { FinetuneEpoch, FinetuneResult, NetworkScore, TunedComparison } from '../results/finetune-result.ts';
import { bytes, plural, ratio, seconds, signed } from './format.ts';
import { printable } from './printable.ts';
import { left, right, textTable } from './text-table.ts';
import { looksText, pText } from './told-apart.ts';

const cells = (score: NetworkScore | undefined): string[] =>
  score === undefined ? ['-', '-'] : [ratio(score.accuracy), ratio(score.logLoss)];

/** The epochs of each training, below each other. */
function epochsTable({ trials, refit, validatedOn }: FinetuneResult): string {
  const hasHeldOut = trials.length > 0;
  const rowsOf = (name: string, epochs: readonly FinetuneEpoch[]): string[][] =>
    epochs.map(({ epoch, train, heldOut, val, seconds: s }) => [
      name,
      String(epoch),
      ...cells(train),
      ...(hasHeldOut ? cells(heldOut) : []),
      ...cells(val),
      epoch === 0 ? '-' : seconds(s),
    ]);
  const figures = (of: string): string[] => [`${of}: accuracy`, 'log loss'];
  return textTable(
    [
      ...left('trained'),
      ...right('epoch', ...figures('met'), ...(hasHeldOut ? figures('held out') : []), ...figures(validatedOn), 'time'),
    ],
    [
      ...trials.flatMap(({ rate, epochs }) => rowsOf(`four fifths, rate ${rate.toExponential()}`, epochs)),
      ...rowsOf('all of Train', refit),
    ],
  );
}

function comparisonText({ difference, interval, accuracy, logLossPValue }: TunedComparison): string {
  const { onlyFirst, onlySecond, pValue } = accuracy;
  const verdict =
    pValue > 0.05 ? 'no difference in accuracy can be told' : difference > 0 ? 'it is better' : 'it is worse';
  return `Tuned beside frozen: accuracy ${signed(difference)} (95 % interval ${signed(interval[0])} to ${signed(interval[1])}; ${onlyFirst} right when tuned alone, ${onlySecond} when frozen alone, McNemar p ${pText(pValue)}): ${verdict}. Log loss: paired t test p ${pText(logLossPValue)}.`;
}

/** A fine-tuning for a terminal: what was trained, each epoch, the choice and its reason, and the figures on Val. */
export function finetuneText(result: FinetuneResult): string {
  const { from, cut, engine, trained, heldOut, validated, validatedOn, parameters, batch, microBatch, C } = result;
  const { choice, frozen, tuned, comparison, refit, secondsPerEpoch, resumedEpochs, leftOut, looks } = result;
  const scoreText = ({ accuracy, interval, logLoss }: NonNullable<typeof frozen>): string =>
    `accuracy ${ratio(accuracy)} (${ratio(interval[0])} .. ${ratio(interval[1])}), log loss ${ratio(logLoss)}`;
  const spent = result.seconds;
  const lines = [
    `${from} and all behind it, ${(parameters / 1e6).toFixed(1)} million numbers, trained on ${cut === null ? 'pixels' : `the stored activations of ${cut}`} by ${engine.name} ${engine.version} on ${engine.device} (${engine.precision}), ${plural(batch, 'image')} a step${microBatch < batch ? ` in runs of ${microBatch}` : ''}.`,
    C === null
      ? 'Begun with random weights of the dense layer.'
      : `Begun with the exact frozen head: logistic, C = ${C} by cross-validated log loss on Train.`,
    ...(resumedEpochs > 0 ? [`${plural(resumedEpochs, 'epoch')} known from an interrupted fine-tuning.`] : []),
    '',
    epochsTable(result).trimEnd(),
    '',
    choice.reason,
    ...(heldOut > 0
      ? [
          `Chosen on ${heldOut} of ${plural(trained, 'training image')} that the search held out; ${validatedOn} was watched and chose nothing.`,
        ]
      : []),
    ...(frozen === null ? [] : [`Frozen head on ${plural(validated, `${validatedOn} image`)}: ${scoreText(frozen)}.`]),
    ...(tuned === null
      ? []
      : [
          `Fine-tuned network${frozen === null ? ` on ${plural(validated, `${validatedOn} image`)}` : ''}: ${scoreText(tuned)}.`,
        ]),
    ...(comparison === null ? [] : [comparisonText(comparison)]),
    ...(leftOut === undefined
      ? []
      : [`${leftOut} more ${validatedOn} images are copies of training images: no figure counts them.`]),
    ...(looks === undefined ? [] : [looksText(looks, validatedOn)]),
    `Time: ${secondsPerEpoch === null ? '' : `${seconds(secondsPerEpoch)} an epoch of all of Train; `}start ${seconds(spent.start)}, search ${seconds(spent.search)}, ${refit.length > 0 ? `training on all ${seconds(spent.refit)}, ` : ''}keeping ${seconds(spent.keep)}; at most ${bytes(result.peakBytes)} of memory.`,
    `Saved as ${printable(result.file)}${choice.kept === 'frozen' ? ', the frozen head' : ', a head file that carries its layers'}; use it with: npx permafrost predict HEAD-FILE IMAGE`,
  ];
  return `${lines.join('\n')}\n`;
}
