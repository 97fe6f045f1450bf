import type { HeadResult, RunResult, SplitScore } from '../results/head-result.ts';
import { present, type OrReason } from '../results/or-reason.ts';
import { plural, ratio } from './format.ts';
import { printable } from './printable.ts';
import { looksText } from './told-apart.ts';

const named = (labels: readonly string[]): string => labels.map((label) => printable(JSON.stringify(label))).join(', ');

/** What the validated images of a head do not tell: classes that it does not know, and images left out. */
export function scoreRemarks({
  validated,
  validatedOn,
  leftOut,
  accuracyWithLeftOut,
  unlearned,
}: Pick<HeadResult, 'validated' | 'validatedOn' | 'leftOut' | 'accuracyWithLeftOut' | 'unlearned'>): string[] {
  const lines: string[] = [];
  if (leftOut !== undefined)
    lines.push(
      `${leftOut} of ${plural(validated + leftOut, `${validatedOn} image`)} ${leftOut === 1 ? 'is a file' : 'are files'} of the same content as training images: no figure counts them.${accuracyWithLeftOut === undefined ? '' : ` ${leftOut === 1 ? 'With it' : 'With them'} the accuracy would be ${ratio(accuracyWithLeftOut)}.`}`,
    );
  if (unlearned !== undefined)
    lines.push(
      `No training image is left of ${named(unlearned)}: ${unlearned.length === 1 ? 'its' : 'their'} ${validatedOn} images count as wrong, and in the balanced accuracy with a recall of 0.`,
    );
  return lines;
}

/** What a run says first where not all validation images count: how the best head does on the others. */
export function firstLines({ heads: [best] }: Pick<RunResult, 'heads'>): string[] {
  if (best === undefined) return [];
  const [first, ...others] = scoreRemarks(best);
  if (first === undefined) return [];
  const without =
    best.leftOut === undefined
      ? []
      : [`The best head, ${best.name} on ${best.pooling}, is right about ${ratio(best.accuracy)} of the others.`];
  return [first, ...without, ...others];
}

/** A head's score on the test images, in a line. */
export function testText(test: OrReason<SplitScore>): string {
  if (!present(test)) return `Test: ${test.missing}`;
  const { images, leftOut, accuracy, interval, balancedAccuracy, logLoss, unlearned, looks } = test;
  return [
    `Test, which had no part in the choice: accuracy ${ratio(accuracy)} (${ratio(interval[0])} .. ${ratio(interval[1])}), balanced ${ratio(balancedAccuracy)}, log loss ${ratio(logLoss)} on ${plural(images, 'image')}.`,
    ...(leftOut > 0 ? [`${plural(leftOut, 'test image')} left out: files of the same content are in train.`] : []),
    ...(unlearned.length > 0 ? [`No training image is left of ${named(unlearned)}: counted as wrong.`] : []),
    ...(looks !== undefined && looks.heads > 1 ? [looksText(looks, 'test')] : []),
  ].join(' ');
}

/** Where a head was saved, and which pictures of the data set go with the file to whoever gets it. */
export function savedText({ file, probeImages = 0 }: Pick<HeadResult, 'file' | 'probeImages'>): string {
  const carries = `with ${plural(probeImages, 'picture')} of the data set in it, by which other engines are checked (--probe-images 0: none)`;
  return `Saved as ${printable(file ?? '')}${probeImages === 0 ? '' : `, ${carries}`}`;
}
