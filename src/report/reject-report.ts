import type { Strangeness } from '../results/answer-results.ts';
import type { RejectResult } from '../results/head-result.ts';
import { plural, ratio, significant } from './format.ts';
import { printable } from './printable.ts';

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
  const alarm = alarmText(rule, rate);
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
/** A chance above which a few more than asked for are nothing to speak of. */
const NOTHING = 0.2;

/**
 * Where more validated images are marked than was asked for: whether that may be chance, which are the strangest, and
 * what it means for other images. Null where it is nothing to speak of.
 */
export function alarmText(rule: Rule, rate: number): string | null {
  const { split, images, rejected, share, chance, rejectedRight, strangest = [] } = rule.validated;
  if (chance === undefined || share <= rate || chance > NOTHING) return null;
  const p = `p ${chance < 0.001 ? '< 0.001' : chance.toFixed(3)}`;
  const named = strangest.map(({ path, strangeness }) => {
    const beside = besideTrained(strangeness);
    return `${printable(path)}${beside === undefined ? '' : ` (${beside})`}`;
  });
  const right =
    rejectedRight === undefined
      ? ''
      : `, and is right for ${rejectedRight} of ${rejected === 1 ? 'this 1' : `these ${rejected}`}`;
  return [
    chance <= ALARM
      ? `So many are not chance (${p}): the images of ${split} differ from the training images.`
      : `That is more than the ${percent(rate)} asked for, which may be chance (${p}), or ${split} differs a little from the training images.`,
    ...(named.length === 0 ? [] : [`The most unusual: ${named.join('; ')}.`]),
    `Of new photographs like those of ${split} about ${outOf(rejected, images)} will be marked as unusual. The mark takes no answer away: the best guess stands before it${right}.`,
  ].join(' ');
}

/** A share as one in so many, or where that is coarse, as so many in ten. */
const outOf = (some: number, all: number): string =>
  some / all > 0.3 ? `${Math.round((10 * some) / all)} in 10` : `1 in ${Math.round(all / some)}`;

/** A share in words, cut to one digit behind the point: 99.96 % is not all. */
const atLeast = (share: number): string => `${Math.floor(Number((1000 * share).toFixed(6))) / 10} %`;

/**
 * How unusual an image is beside the training images, each of which was judged unseen; undefined of older heads, whose
 * files do not tell.
 */
export function besideTrained({ measure, lessStrange }: Strangeness): string | undefined {
  if (lessStrange === null) return undefined;
  const how = measure === 'energy' || measure === 'top-probability' ? 'less like any known class' : 'farther off';
  return `${how} than ${lessStrange === 1 ? 'every training image' : `${atLeast(lessStrange)} of the training images`}`;
}

/** Why an image is called unusual, in words. */
export function unusualText(strangeness: Strangeness): string {
  const { measure, value, threshold } = strangeness;
  const facts = `${measure} ${significant(value)}, unknown above ${significant(threshold)}`;
  const how = besideTrained(strangeness);
  return how === undefined ? `unusual: ${facts}` : `unusual: ${how} (${facts})`;
}
