import { few, PermafrostError } from '../../../core/errors.ts';
import type { Sample, Split } from '../../../core/sample.ts';
import { isHiddenName } from '../left-out-names.ts';
import { isImageName } from '../image-tree.ts';
import { readAsSplits, splitsNamed } from '../split-names.ts';
import { samplesOfRecords, type ImageRecord } from './records.ts';
import { writtenClass, type ClassNames } from './sample-classes.ts';
import { imageOfSample } from './sample-image.ts';
import { CLASS_FIELDS, keyOf, type Side } from './side-files.ts';

/** An archive whose samples are files of one key: 17.jpg, 17.cls, 17.json. */
export interface Shard {
  /** What messages and sample paths call it; '' where the data set is this archive alone. */
  readonly name: string;
  /** The split that its name gives. */
  readonly split: Split | undefined;
  readonly paths: readonly string[];
  readonly sides: ReadonlyMap<string, Side>;
}

/** The image of a sample. */
interface WebImage {
  readonly path: string;
  /** Its path in the shard. */
  readonly member: string;
  readonly shardSplit: Split | undefined;
  readonly side: Side | undefined;
}

export const pathIn = (shard: string, member: string): string => (shard === '' ? member : `${shard}/${member}`);

/** Whether files beside the images name classes in these shards. */
export const namesClasses = (shards: readonly Shard[]): boolean =>
  shards.some(({ sides }) => [...sides.values()].some(({ classes }) => classes.length > 0));

/** The images of all shards, one a sample, and what is left out. */
function webImages(shards: readonly Shard[], warnings: string[]): WebImage[] {
  const found: WebImage[] = [];
  const further: string[] = [];
  const others: string[] = [];
  let imageless = 0;
  for (const { name: shard, split, paths, sides } of shards) {
    const images = new Map<string, string[]>();
    for (const path of paths) {
      if (isHiddenName(path.slice(path.lastIndexOf('/') + 1))) continue;
      const parts = keyOf(path);
      if (parts !== undefined && isImageName(path)) {
        const same = images.get(parts.key);
        if (same === undefined) images.set(parts.key, [path]);
        else same.push(path);
      } else if (parts === undefined || !['cls', 'json', 'txt'].includes(parts.extension))
        others.push(pathIn(shard, path));
    }
    for (const key of sides.keys()) if (!images.has(key)) imageless++;
    for (const [key, members] of images) {
      const member = imageOfSample(shard, members);
      for (const other of members) if (other !== member) further.push(pathIn(shard, other));
      found.push({ path: pathIn(shard, member), member, shardSplit: split, side: sides.get(key) });
    }
  }
  if (further.length > 0)
    warnings.push(`Samples have ${further.length} further images, which are left out: ${few(further)}.`);
  if (imageless > 0) warnings.push(`${imageless} samples have no image, and are left out.`);
  if (others.length > 0) warnings.push(`Ignored ${others.length} that are no images: ${few(others)}.`);
  return found;
}

/** The split that the first folder of each member names, where all do and one is train. */
function splitsByFolder(images: readonly WebImage[]): ReadonlyMap<string, Split> | undefined {
  const folders = new Set(images.map(({ member }) => member.split('/', 1)[0]!));
  if (images.some(({ member }) => !member.includes('/'))) return undefined;
  const found = splitsNamed([...folders]);
  return found.size === folders.size && [...found.values()].includes('train') ? found : undefined;
}

/** Refuses an image that lies in the folder of one class, and is said to be of another. */
function requireNoOtherFolder(images: readonly WebImage[], samples: readonly Sample[]): void {
  const labels = new Map(samples.map(({ path, label }) => [path, label]));
  const classes = new Set(labels.values());
  for (const { path, member } of images) {
    const label = labels.get(path);
    const folder = member
      .split('/')
      .slice(0, -1)
      .find((part) => classes.has(part));
    if (label !== undefined && folder !== undefined && folder !== label)
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${path} lies in the folder ${folder}, which is a class, and the file beside it says ${label}. Give each image one class.`,
      );
  }
}

/**
 * Samples whose classes stand in files beside the images. `names` are those of numbers, from a file beside the
 * archives. Throws DATASET_LAYOUT where classes or splits disagree or are missing.
 */
export function webSamples(
  where: string,
  shards: readonly Shard[],
  names: ClassNames | undefined,
): { readonly samples: Sample[]; readonly warnings: string[] } {
  const warnings: string[] = [];
  const images = webImages(shards, warnings);
  const byFolder = splitsByFolder(images);
  const read = byFolder && readAsSplits(byFolder);
  if (read !== undefined) warnings.push(`Folders in the archives are read as splits: ${read}.`);
  const records = images.map(({ path, member, shardSplit, side }): ImageRecord => {
    const folderSplit = byFolder?.get(member.split('/', 1)[0]!);
    return {
      path,
      written: writtenClass(path, side?.classes ?? []),
      splits: [
        ...(shardSplit === undefined ? [] : [{ from: 'the name of its archive', split: shardSplit }]),
        ...(folderSplit === undefined ? [] : [{ from: 'its folder', split: folderSplit }]),
      ],
      word: side?.split,
    };
  });
  const classHelp = `Each needs a .cls, or a .json with ${CLASS_FIELDS.join(' or ')}, beside it.`;
  const found = samplesOfRecords(records, { where, field: 'split in .json', classHelp }, names);
  requireNoOtherFolder(images, found.samples);
  return { samples: found.samples, warnings: [...warnings, ...found.warnings] };
}
