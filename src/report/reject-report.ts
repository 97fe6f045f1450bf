import type { RejectResult } from '../results/head-result.ts';
import { plural, ratio, significant } from './format.ts';
import { printable } from './printable.ts';
import { besideTrained } from './unusual.ts';

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** How a head comes to answer "unknown", and how often it does so wrongly, in lines for a terminal. */
export function rejectLines({ rate, rule, problem }: RejectResult): string[] {
  if (rule === null) return [`It never answers "unknown": ${printable(problem ?? '')}.`];
  const { measure, threshold, calibratedOn, comparedWith, measures, leftOut, rateInterval, validated } = rule;
  const { split, images, rejected, share, interval, accuracyOfAnswered } = validated;
  const why =
    measures.length === 0
      ? 'the default: there was no class to leave out'
      : `mean AUROC with ${plural(leftOut.length, 'class', 'classes')} left out in turn: ${measures
          .map((one) => `${one.measure} ${one.auroc.toFixed(3)}`)
          .join(', ')}`;
  const own =
    rateInterval === undefined
      ? ''
      : `; this rule's own share lies between ${percent(rateInterval[0])} and ${percent(rateInterval[1])} (95 %)`;
  const lines = [
    `Unknown: ${measure} above ${significant(threshold)} (${why}).`,
    `False rejects: ${percent(rate)} at most on average over training sets, by ${plural(calibratedOn, 'training image')} ${comparedWith === undefined ? 'out of fold' : `beside the ${comparedWith} that are compared with`}${own}. On ${split} ${rejected} of ${images} (${percent(share)}, 95 % interval ${percent(interval[0])} .. ${percent(interval[1])})${accuracyOfAnswered === null ? '' : `, accuracy of the rest ${ratio(accuracyOfAnswered)}`}.`,
  ];
  const found = leftOutText(rule);
  if (found !== null) lines.push(found);
  const alarm = alarmText(rule);
  if (alarm !== null) lines.push(alarm);
  return lines;
}

type Rule = NonNullable<RejectResult['rule']>;

/** How many images of a class that the head does not know are called unknown, and how far classes differ in that. */
export function leftOutText({ leftOutRejected, leftOutClasses = [] }: Rule): string | null {
  if (leftOutRejected === null) return null;
  const sorted = [...leftOutClasses].sort((a, b) => a.rejected - b.rejected);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const range =
    least === undefined || sorted.length < 2
      ? ''
      : `, from ${percent(least.rejected)} of ${printable(least.label)} to ${percent(most!.rejected)} of ${printable(most!.label)}`;
  return `Of the images of a class left out ${percent(leftOutRejected)} are called unknown on average${range}.`;
}

/** A chance below which more false rejects than calibrated are no chance: 2.5 % of runs would say so wrongly. */
const ALARM = 0.025;

/**
 * That the validated images are not like the training images, where so many false rejects are no chance; else null. Says
 * which are the strangest, and what it means for other images.
 */
export function alarmText(rule: Rule): string | null {
  const { split, images, rejected, chance, rejectedRight, strangest = [] } = rule.validated;
  if (chance === undefined || chance > ALARM) return null;
  const p = chance < 0.001 ? '< 0.001' : chance.toFixed(3);
  const named = strangest.map(
    ({ path, strangeness }) => `${printable(path)} (${besideTrained(strangeness) ?? strangeness.value})`,
  );
  return [
    `So many are not chance (p ${p}): the images of ${split} differ from the training images.`,
    ...(named.length === 0 ? [] : [`The most unusual: ${named.join('; ')}.`]),
    `New photographs like those of ${split} will be marked as unusual as often, about 1 in ${Math.round(images / rejected)}. The mark takes no answer away: the best guess stands before it${rejectedRight === undefined ? '' : `, and it is right for ${rejectedRight} of these ${rejected}`}.`,
  ].join(' ');
}
