import { plural } from '../../core/words.ts';
import { few, PermafrostError } from '../../core/errors.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import { NO_CONTENT, type SampleContents } from './sample-contents.ts';

type Counts = Record<Split, number>;

/** Images of a class by split: those that are listed, and those that have features. */
interface ClassCounts {
  readonly listed: Counts;
  readonly found: Counts;
}

const none = (): Counts => ({ train: 0, val: 0, test: 0 });
const sum = ({ train, val, test }: Counts): number => train + val + test;

/** What became of a data set once its images were read: what to warn of, and copies across its splits. */
export interface AfterDecoding extends Pick<ExtractResult, 'inTrainToo'> {
  readonly warnings: readonly string[];
}

/** The images of a data set as they were listed, which are walked through twice. */
interface ListedImages extends Pick<Dataset, 'hasSplits'> {
  readonly samples: Iterable<Pick<Sample, 'label' | 'split'>>;
}

/**
 * Checks a data set again when its images were decoded: classes and splits that lost all their images, and images of
 * val and test that are files of the same content as training images.
 */
export function afterDecoding(
  { samples, hasSplits }: ListedImages,
  { numbers, index }: Pick<SampleContents, 'numbers' | 'index'>,
): AfterDecoding {
  const classes = new Map<string, ClassCounts>();
  const all: ClassCounts = { listed: none(), found: none() };
  const isTrained = new Uint8Array(index.size);
  let i = 0;
  for (const { label, split } of samples) {
    const number = numbers[i++]!;
    const counts = classes.get(label) ?? { listed: none(), found: none() };
    classes.set(label, counts);
    for (const { listed } of [counts, all]) listed[split]++;
    if (number === NO_CONTENT) continue;
    for (const { found } of [counts, all]) found[split]++;
    if (split === 'train') isTrained[number] = 1;
  }
  const warnings = lostSplits(all.listed, all.found);
  for (const [label, counts] of [...classes].sort(([a], [b]) => (a < b ? -1 : 1)))
    warnings.push(...lossesOf(label, counts, all, hasSplits));

  const inTrainToo = none();
  i = 0;
  for (const { split } of samples) {
    const number = numbers[i++]!;
    if (split !== 'train' && number !== NO_CONTENT && isTrained[number] === 1) inTrainToo[split]++;
  }
  const shared = SPLITS.filter((split) => inTrainToo[split] > 0);
  for (const split of shared)
    warnings.push(
      `${inTrainToo[split]} of ${plural(all.found[split], `${split} image`)} ${inTrainToo[split] === 1 ? 'is a file' : 'are files'} of the same content as training images: no figure counts them ("permafrost check" lists them).`,
    );
  const counted = Object.fromEntries(shared.map((split) => [split, inTrainToo[split]]));
  return { warnings, ...(shared.length > 0 && { inTrainToo: counted }) };
}

/** A sentence for each split that lost all its images. */
function lostSplits(listed: Counts, found: Counts): string[] {
  return SPLITS.filter((split) => listed[split] > 0 && found[split] === 0).map((split) =>
    listed[split] === 1
      ? `The one ${split} image failed: failures.csv in the store says why.`
      : `All ${listed[split]} ${split} images failed: failures.csv in the store says why.`,
  );
}

/**
 * Throws FIT_INVALID where images failed until none is left to train on, or none to validate on. `found` counts the
 * images with features.
 */
export function requireBothSides(
  { samples }: Dataset,
  { splits, store }: Pick<ExtractResult, 'splits' | 'store'>,
): void {
  const found = { ...none(), ...splits };
  if (found.train > 0 && found.val + found.test > 0) return;
  const listed = none();
  for (const { split } of samples) listed[split]++;
  const lost = lostSplits(listed, found);
  if (lost.length === 0) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `No head can be trained and judged. ${lost.join(' ')} Mend these images and run the same command again; what was extracted is kept in ${store}.`,
  );
}

/** What a class lost; a split that lost all images is told once. */
function lossesOf(label: string, { listed, found }: ClassCounts, all: ClassCounts, hasSplits: boolean): string[] {
  const name = `Class ${JSON.stringify(label)}`;
  const why = 'failures.csv in the store says why';
  if (sum(found) === 0) return [`${name} is lost: all its ${plural(sum(listed), 'image')} failed (${why}).`];
  if (found.train === 0) {
    if (all.found.train === 0) return [];
    const others = SPLITS.filter((split) => found[split] > 0).map((split) => `${found[split]} ${split}`);
    const failed = hasSplits && listed.train > 0 ? `: ${listed.train} of ${listed.train} failed (${why})` : '';
    return [
      `${name} has no training image left${failed}. No head can know it: its ${few(others)} images count as wrong.`,
    ];
  }
  return SPLITS.filter((split) => listed[split] > 0 && found[split] === 0 && all.found[split] > 0).map(
    (split) =>
      `${name} has no ${split} image left: all ${listed[split]} failed (${why}), so nothing there tells how well it is known.`,
  );
}
