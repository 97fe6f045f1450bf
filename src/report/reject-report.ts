import type { RejectResult } from '../results/head-result.ts';
import { plural, ratio, significant } from './format.ts';
import { printable } from './printable.ts';

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** How a head comes to answer "unknown", and how often it does so wrongly, in lines for a terminal. */
export function rejectLines({ rate, rule, problem }: RejectResult): string[] {
  if (rule === null) return [`It never answers "unknown": ${printable(problem ?? '')}.`];
  const { measure, threshold, calibratedOn, comparedWith, measures, leftOut, leftOutRejected, validated } = rule;
  const { split, images, rejected, share, interval, accuracyOfAnswered } = validated;
  const why =
    measures.length === 0
      ? 'the default: with two classes there is none to leave out'
      : `chosen by AUROC with ${plural(leftOut.length, 'class', 'classes')} left out in turn: ${measures
          .map((one) => `${one.measure} ${one.auroc.toFixed(3)}`)
          .join(', ')}`;
  const lines = [
    `Unknown: ${measure} above ${significant(threshold)} (${why}).`,
    `At most ${percent(rate)} false rejects on ${plural(calibratedOn, 'training image')} ${comparedWith === undefined ? 'out of fold' : `beside the ${comparedWith} that are compared with`}; on ${split} ${rejected} of ${images} (${percent(share)}, 95 % interval ${percent(interval[0])} .. ${percent(interval[1])})${accuracyOfAnswered === null ? '' : `, accuracy of the rest ${ratio(accuracyOfAnswered)}`}.`,
  ];
  if (leftOutRejected !== null)
    lines.push(`Of the images of a class left out ${percent(leftOutRejected)} are called unknown.`);
  if (interval[0] > rate)
    lines.push(
      `That is more than ${percent(rate)}: the images of ${split} differ from the training images by more than chance.`,
    );
  return lines;
}
