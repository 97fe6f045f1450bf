import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { few, PermafrostError, reasonOf } from '../../core/errors.ts';
import { SPLITS, type Failure, type Sample, type Split } from '../../core/sample.ts';
import { readManifestFile } from './dataset-manifest.ts';
import { byCodeUnits, list, listImages, type Listing } from './image-tree.ts';

/** A data set as found, sorted by path in code units, which no machine or file system changes. */
export interface Dataset<S extends Sample = Sample> {
  /** The folder that sample paths are relative to. */
  readonly root: string;
  readonly samples: readonly S[];
  /** False where the data set names no splits: every sample then says "train" and the caller may split. */
  readonly hasSplits: boolean;
  /** What the user should know: ignored files, empty folders, classes that lack a split. */
  readonly warnings: readonly string[];
  /** Files that cannot even be opened by their names. */
  readonly failures: readonly Failure[];
}

/** What the user should know, and what is wrong with single files. */
interface Remarks {
  readonly warnings: string[];
  readonly failures: Failure[];
}

/** A name that is no UTF-8 cannot be opened: Node turns each such byte into U+FFFD. */
const illegible = (path: string): Failure => ({
  path,
  code: 'IMAGE_UNREADABLE',
  reason: 'Its name is not valid UTF-8 (the bytes that are not are shown as \\xNN). Rename it.',
});

const SPLIT_FOLDERS: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

const LAYOUT_HELP =
  'Expected Train/ and Val/ with one sub-folder a class, or one folder of class folders, or a .csv or .jsonl file with path, label and split.';

/** The class folders below `prefix` ('' or a split's folder) as samples. */
async function classFolders(
  root: string,
  prefix: string,
  folders: readonly string[],
  split: Split,
  { warnings, failures }: Remarks,
): Promise<Sample[]> {
  const { images, ignored, illegible: odd } = await listImages(root, prefix, folders);
  for (const name of odd) failures.push(illegible(name));
  const samples = [...images].flatMap(([label, paths]) => paths.map((path) => ({ path, label, split })));
  const empty = folders.filter((label) => images.get(label)!.length === 0).map((label) => prefix + label);
  if (empty.length > 0) warnings.push(`Folders without an image, which are no class: ${few(empty)}.`);
  if (ignored.length > 0) warnings.push(`Ignored ${ignored.length} that are no images: ${few(ignored)}.`);
  return samples;
}

async function splitFolders(root: string, top: Listing, remarks: Remarks): Promise<Sample[]> {
  const samples: Sample[] = [];
  const taken = new Map<Split, string>();
  const others: string[] = [];
  for (const folder of top.folders) {
    const split = SPLIT_FOLDERS[folder.toLowerCase()];
    if (split === undefined) {
      others.push(folder);
      continue;
    }
    const twin = taken.get(split);
    if (twin !== undefined) {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${root} has two folders for the split ${split}: ${twin} and ${folder}. Keep one.`,
      );
    }
    taken.set(split, folder);
    const inside = await list(join(root, folder));
    if (inside.images.length > 0) {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${join(root, folder)} holds ${inside.images.length} images that are in no class folder (${few(inside.images, 3)}). Move each into a sub-folder named for its class.`,
      );
    }
    for (const name of inside.illegible) remarks.failures.push(illegible(`${folder}/${name}`));
    // One by one: hundreds of thousands of arguments are more than a call may have.
    for (const sample of await classFolders(root, `${folder}/`, inside.folders, split, remarks)) samples.push(sample);
  }
  if (!taken.has('train')) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${root} has ${few([...taken.values()])} but no Train folder. ${LAYOUT_HELP}`,
    );
  }
  if (others.length > 0) remarks.warnings.push(`Ignored folders beside the splits: ${few(others)}.`);
  return samples;
}

/** Classes must be learnable: one that is only validated is an error, one that is only trained a warning. */
function checkClasses(where: string, samples: readonly Sample[], warnings: string[]): void {
  const labelsOf = (split: Split): Set<string> => new Set(samples.filter((s) => s.split === split).map((s) => s.label));
  const train = labelsOf('train');
  for (const split of SPLITS.filter((s) => s !== 'train')) {
    const other = labelsOf(split);
    if (other.size === 0) continue;
    const unlearnable = [...other].filter((label) => !train.has(label)).sort(byCodeUnits);
    if (unlearnable.length > 0) {
      throw new PermafrostError(
        'DATASET_CLASSES',
        `${where}: ${unlearnable.length} class(es) in ${split} are not in train: ${few(unlearnable, 20)}. Train has: ${few([...train].sort(byCodeUnits), 20)}. Add training images, or take these out of ${split} (mind upper and lower case).`,
      );
    }
    const unchecked = [...train].filter((label) => !other.has(label)).sort(byCodeUnits);
    if (unchecked.length > 0) {
      warnings.push(
        `Classes in train that ${split} lacks, so nothing tells how well they are known: ${few(unchecked, 20)}.`,
      );
    }
  }
}

/**
 * A data set under the labels of a list (dataset-manifest.ts) with paths relative to the data set's folder, and its
 * splits if it gives some. Images not listed keep theirs; a sample that does not change stays the same object. Throws
 * DATASET_NOT_FOUND, DATASET_LAYOUT (a bad line, or no image named), DATASET_CLASSES.
 */
export async function relabelled<S extends Sample>(dataset: Dataset<S>, file: string): Promise<Dataset<S>> {
  const { samples: listed, givesSplits } = await readManifestFile(file, resolve(dataset.root));
  const byPath = new Map(listed.map((sample) => [sample.path, sample]));
  const warnings = [...dataset.warnings];
  let [named, changed] = [0, 0];
  const samples = dataset.samples.map((sample) => {
    const other = byPath.get(sample.path);
    if (other === undefined) return sample;
    named++;
    const split = givesSplits ? other.split : sample.split;
    if (other.label === sample.label && split === sample.split) return sample;
    changed++;
    return { ...sample, label: other.label, split };
  });
  if (named === 0)
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${file} names none of the ${samples.length} images of ${dataset.root}. Its paths must be relative to that folder, as ${JSON.stringify(samples[0]?.path)} is.`,
    );
  const others = listed.length - named - dataset.failures.filter(({ path }) => byPath.has(path)).length;
  if (others > 0) warnings.push(`${file} names ${others} images that the data set has not.`);
  warnings.push(`${file} gives ${changed} of ${samples.length} images another label or split.`);
  checkClasses(file, samples, warnings);
  return { ...dataset, samples, hasSplits: samples.some((s) => s.split !== 'train'), warnings };
}

/**
 * Finds the images of `where`: a folder with Train/ and Val/ (any case; also training, valid, validation, test), a
 * folder of class folders, or a list (dataset-manifest.ts). Hidden files are ignored. Throws DATASET_NOT_FOUND,
 * DATASET_EMPTY, DATASET_LAYOUT or DATASET_CLASSES.
 */
export async function scanDataset(where: string): Promise<Dataset> {
  const facts = await stat(where).catch((cause: unknown) => {
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `There is no data set at ${where}: ${reasonOf(cause)}. ${LAYOUT_HELP}`,
      { cause },
    );
  });
  const remarks: Remarks = { warnings: [], failures: [] };
  const { warnings, failures } = remarks;
  if (facts.isFile()) {
    const { root, samples, hasSplits } = await readManifestFile(where);
    const sorted = [...samples].sort((a, b) => byCodeUnits(a.path, b.path));
    if (sorted.length === 0) throw new PermafrostError('DATASET_EMPTY', `${where} names no image. ${LAYOUT_HELP}`);
    checkClasses(where, sorted, warnings);
    return { root, samples: sorted, hasSplits, warnings, failures };
  }
  const top = await list(where);
  for (const name of top.illegible) failures.push(illegible(name));
  const isSplit = top.folders.some((folder) => Object.hasOwn(SPLIT_FOLDERS, folder.toLowerCase()));
  if (top.images.length > 0) {
    if (top.folders.length === 0) {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${where} holds ${top.images.length} images and no class folders (${few(top.images, 3)}). ${LAYOUT_HELP}`,
      );
    }
    warnings.push(`Ignored ${top.images.length} images beside the folders, which have no class: ${few(top.images)}.`);
  }
  const samples = isSplit
    ? await splitFolders(where, top, remarks)
    : await classFolders(where, '', top.folders, 'train', remarks);
  if (samples.length === 0) {
    const seen = [...top.folders.map((f) => `${f}/`), ...top.others];
    throw new PermafrostError(
      'DATASET_EMPTY',
      `${where} holds no images (found: ${seen.length > 0 ? few(seen) : `nothing in ${basename(where)}`}). ${LAYOUT_HELP}`,
    );
  }
  samples.sort((a, b) => byCodeUnits(a.path, b.path));
  checkClasses(where, samples, warnings);
  const hasSplits = samples.some((s) => s.split !== 'train');
  return { root: where, samples, hasSplits, warnings, failures };
}
