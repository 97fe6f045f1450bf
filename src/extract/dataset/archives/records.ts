import { PermafrostError } from '../../../core/errors.ts';
import type { Sample, Split } from '../../../core/sample.ts';
import { readAsSplits, splitsNamed } from '../split-names.ts';
import { namedClasses, type ClassNames, type WrittenClass } from './sample-classes.ts';

/** An image as its archive describes it. */
export interface ImageRecord {
  readonly path: string;
  readonly written: WrittenClass | undefined;
  /** Splits that names of archives and folders give, by what gives them. */
  readonly splits: readonly { readonly from: string; readonly split: Split }[];
  /** What a field for the split says. */
  readonly word: string | undefined;
}

/** How messages call where things stand. */
export interface RecordWords {
  /** The data set. */
  readonly where: string;
  /** The field of the split. */
  readonly field: string;
  /** What an image without a class needs. */
  readonly classHelp: string;
}

const refuse = (message: string): never => {
  throw new PermafrostError('DATASET_LAYOUT', message);
};

/** The split of each image. What names one must agree; all images have a split, or none has. */
function splitsOf(records: readonly ImageRecord[], { where, field }: RecordWords, warnings: string[]) {
  const words = new Set(records.flatMap(({ word }) => word ?? []));
  const byWord = splitsNamed([...words]);
  const odd = [...words].find((word) => !byWord.has(word));
  if (odd !== undefined) refuse(`${where}: ${field} is ${JSON.stringify(odd)}, not one of train, val, test.`);
  const read = readAsSplits(byWord);
  if (read !== undefined) warnings.push(`Read as splits: ${read} (${field}).`);
  const splits = records.map(({ path, splits: named, word }) => {
    const given = word === undefined ? named : [...named, { from: field, split: byWord.get(word)! }];
    const other = given.find(({ split }) => split !== given[0]!.split);
    if (other !== undefined)
      refuse(
        `${path}: ${given[0]!.from} says ${given[0]!.split}, ${other.from} says ${other.split}. Give it one split.`,
      );
    return given[0]?.split;
  });
  const count = splits.filter((split) => split !== undefined).length;
  if (count > 0 && count < splits.length)
    refuse(
      `${where} gives a split for ${count} of ${splits.length} images; the first without is ${records[splits.indexOf(undefined)]!.path}. Give it for all, or for none (permafrost then splits by a seed).`,
    );
  return splits;
}

/** A val or test in which no image has a class is left out and told; one that lacks some, and a train, are refused. */
function refuseClassless(
  records: readonly ImageRecord[],
  splits: readonly (Split | undefined)[],
  { where, classHelp }: RecordWords,
  warnings: string[],
): void {
  const found = new Map<Split, { all: number; lacking: number; first: string }>();
  for (const [i, { path, written }] of records.entries()) {
    const split = splits[i] ?? 'train';
    const counted = found.get(split) ?? { all: 0, lacking: 0, first: '' };
    counted.all++;
    if (written === undefined && counted.lacking++ === 0) counted.first = path;
    found.set(split, counted);
  }
  for (const [split, { all, lacking, first }] of found) {
    if (lacking === 0) continue;
    if (lacking < all || split === 'train')
      refuse(`${where}: ${lacking} of ${all} images have no class, the first is ${first}. ${classHelp}`);
    warnings.push(`${split} has no labels: its ${all} images are left out; the first is ${first}.`);
  }
}

/** The samples that records make. `names` are those of classes that are numbers. Throws DATASET_LAYOUT. */
export function samplesOfRecords(
  records: readonly ImageRecord[],
  words: RecordWords,
  names: ClassNames | undefined,
): { readonly samples: Sample[]; readonly warnings: string[] } {
  const warnings: string[] = [];
  const splits = splitsOf(records, words, warnings);
  refuseClassless(records, splits, words, warnings);
  const classes = namedClasses(
    words.where,
    records.flatMap(({ written }) => written ?? []),
    names,
  );
  const samples = records.flatMap(({ path, written }, i): Sample[] =>
    written === undefined ? [] : [{ path, label: classes.label(written), split: splits[i] ?? 'train' }],
  );
  return { samples, warnings: [...warnings, ...classes.warnings] };
}
