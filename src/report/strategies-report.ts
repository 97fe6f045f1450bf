import type { StrategiesResult, StrategyAdvice, StrategyName, StrategyTrial } from '../results/strategies-result.ts';
import { bytes, parameters, plural, ratio, seconds, signed } from './format.ts';
import { printable } from './printable.ts';
import { left, right, textTable } from './text-table.ts';
import { looksText, pText } from './told-apart.ts';

/** The strategies in words, numbered as in the report. */
export const STRATEGY_TEXTS: Readonly<Record<StrategyName, string>> = {
  'head-only': '1 head only',
  'retrain-all': '2 retrain all layers',
  'freeze-early': '3 freeze early layers',
  'layers-as-features': '4 layers as features',
};

/** What to do about a strategy. */
const ADVICE_TEXTS: Readonly<Record<StrategyName, string>> = {
  'head-only': 'keep the network frozen and train a head on its features',
  'retrain-all': 'train all layers on from the pretrained weights',
  'freeze-early': 'fine-tune: keep the early layers and train the last ones on',
  'layers-as-features': 'keep the network frozen and train a head on the features of earlier layers',
};

/** `+0.0300 (p 0.360)` and the like; of the frozen head nothing. */
export function comparisonText({ comparison }: StrategyTrial): string {
  if (comparison === null) return '';
  return `${signed(comparison.difference)} (p ${pText(comparison.adjusted)})`;
}

/** The difference of log losses with its test. */
export function logLossComparisonText({ comparison }: StrategyTrial): string {
  if (comparison === null) return '';
  return `${signed(comparison.logLossDifference)} (p ${pText(comparison.logLossAdjusted)})`;
}

/** Log loss on held-out training images beside that of the frozen head. */
export function heldOutText({ heldOut, comparison }: Pick<StrategyTrial, 'heldOut' | 'comparison'>): string {
  if (heldOut === null) return '-';
  if (comparison === null) return heldOut.logLoss.toFixed(4);
  return `${ratio(heldOut.logLoss)} (${ratio(heldOut.frozen.logLoss)})`;
}

/** What was chosen, and whether training ended where it began. */
export const chosenText = ({ chosen, kept }: StrategyTrial): string =>
  [
    ...(kept === 'frozen' ? ['frozen head kept'] : []),
    ...(Object.keys(chosen).length > 0 ? [parameters(chosen)] : []),
  ].join('; ');

/** The table of all trials. */
export function strategiesTable({ trials, validatedOn }: StrategiesResult): string {
  return textTable(
    [
      ...left('strategy', 'trained'),
      ...right(`accuracy on ${validatedOn}`, '95 % interval', 'beside frozen', 'log loss', 'beside frozen'),
      ...right('held-out log loss (frozen)', 'time', 'peak memory'),
      ...left('chosen'),
    ],
    trials.map((trial) => [
      STRATEGY_TEXTS[trial.strategy],
      trial.name,
      ratio(trial.accuracy),
      `${ratio(trial.interval[0])} .. ${ratio(trial.interval[1])}`,
      comparisonText(trial),
      ratio(trial.logLoss),
      logLossComparisonText(trial),
      heldOutText(trial),
      seconds(trial.seconds),
      bytes(trial.peakBytes),
      chosenText(trial),
    ]),
  );
}

/** How a trial's p-values are to be read. */
export const strategiesRule = ({ trials, validated, validatedOn }: StrategiesResult): string =>
  `Differences are to the frozen head on the same ${plural(validated, `${validatedOn} image`)}: McNemar's exact test of the accuracies, the paired t test of the log losses, Holm's adjustment for ${plural(trials.length - 1, 'comparison')}. What is held out of the training images chooses and advises; ${validatedOn} does not.`;

function domainText({ domain, layers }: StrategyAdvice): string {
  if (layers === null) return 'whether its pictures are like those of ImageNet was not measured';
  const { earlier, deepest, accuracyEarlier, accuracyDeepest, pValue } = layers;
  const figures = `cross-validated on the training images, the head on ${earlier} is right on ${ratio(accuracyEarlier)}, that on ${deepest} on ${ratio(accuracyDeepest)}, p ${pText(pValue)}`;
  return domain === 'different'
    ? `its pictures are unlike those of ImageNet, for an earlier layer serves better (${figures})`
    : `no earlier layer serves better, so its pictures count as like those of ImageNet (${figures})`;
}

const MEASURED_TEXTS: Readonly<Record<StrategyAdvice['measured'], string>> = {
  better: "The training images agree: on those held out its log loss was lower than the frozen head's.",
  'no better': "The training images do not agree: on those held out its log loss was no lower than the frozen head's.",
  'not tried': 'That was not tried here.',
  'is the frozen head': '',
};

/** The report's advice for the data set, in sentences. */
export function adviceSentences(advice: StrategyAdvice): string[] {
  const { imagesPerClass, largeFrom, size, advised, measured, take, alsoBetter } = advice;
  const count = Number.isInteger(imagesPerClass) ? String(imagesPerClass) : imagesPerClass.toFixed(1);
  const others = alsoBetter.filter((strategy) => strategy !== take).map((strategy) => STRATEGY_TEXTS[strategy]);
  return [
    `The data set is ${size}: the median class has ${count} training images, and large begins at ${largeFrom}; ${domainText(advice)}.`,
    `For such a data set the report advises: ${ADVICE_TEXTS[advised]}.`,
    ...(MEASURED_TEXTS[measured] === '' ? [] : [MEASURED_TEXTS[measured]]),
    ...(take === advised ? [] : [`Take instead: ${ADVICE_TEXTS[take]}.`]),
    ...(others.length === 0
      ? []
      : [
          `On held-out training images the log loss was lower with ${others.join(' and ')} too: more images would tell whether that is more than chance.`,
        ]),
  ];
}

/** The four strategies for a terminal. */
export function strategiesText(result: StrategiesResult): string {
  const { trials, skipped, trained, validated, validatedOn, minutes, advice, looks } = result;
  const remarks = trials.flatMap(({ name, remarks: said }) => said.map((remark) => `${name}: ${printable(remark)}`));
  return [
    `\nThe four strategies of the 2020 report, trained on ${plural(trained, 'image')}, validated on ${validated} (${validatedOn}), in ${seconds(result.seconds)} (trainings may take ${plural(minutes, 'minute')}, --strategies-minutes):`,
    strategiesTable(result),
    strategiesRule(result),
    ...skipped.map(
      ({ strategy, name, reason }) => `${STRATEGY_TEXTS[strategy]}: ${name} was left out: ${printable(reason)}`,
    ),
    ...remarks,
    ...trials.flatMap(({ name, file }) => (file === undefined ? [] : [`${name}: saved as ${printable(file)}`])),
    ...(looks === undefined ? [] : [looksText(looks, validatedOn)]),
    '\nAdvice:',
    ...adviceSentences(advice),
    '',
  ].join('\n');
}
