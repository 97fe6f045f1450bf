import { stat } from 'node:fs/promises';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Failure, Sample } from '../../core/sample.ts';
import type { ImageSource } from '../source/image-source.ts';
import { imageSource } from '../source/open.ts';
import { isS3Address } from '../source/s3/address.ts';
import { isCompressedName, refuseCompressed } from '../archives/compressed.ts';
import { archiveSamples } from './archives/archive-samples.ts';
import { archivesInFolder, namedArchives } from './archives/local-archives.ts';
import { bucketDataset } from './bucket-dataset.ts';
import { checkClasses } from './class-check.ts';
import { isListName, readManifestFile } from './dataset-manifest.ts';
import { samplesOfTree, type Found } from './folder-dataset.ts';
import { LAYOUT_HELP } from './folder-layout.ts';
import { byCodeUnits, imageTree } from './image-tree.ts';

/** A data set as found, sorted by path in code units, which no machine or file system changes. */
export interface Dataset<S extends Sample = Sample> {
  /** What sample paths are relative to: a folder, or what else holds images. */
  readonly root: string;
  readonly samples: readonly S[];
  /** False where the data set names no splits: every sample then says "train" and the caller may split. */
  readonly hasSplits: boolean;
  /** What the user should know: how folders and columns were read, what was left out, classes that lack a split. */
  readonly warnings: readonly string[];
  /** Files that cannot even be opened by their names. */
  readonly failures: readonly Failure[];
  /** Opens what its images are read from, with what listing has learned of it. Default: as its root says. */
  readonly open?: () => Promise<ImageSource>;
}

/** Opens what the images of a data set are read from; whoever opens it closes it. */
export const sourceOf = ({ root, open }: Pick<Dataset, 'root' | 'open'>): Promise<ImageSource> =>
  open === undefined ? imageSource(root) : open();

/** Runs `work` with what the images of a data set are read from: opened for it, and closed after it. */
export async function withSourceOf<T>(
  dataset: Pick<Dataset, 'root' | 'open'>,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  const source = await sourceOf(dataset);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/**
 * A data set under the labels of a list (dataset-manifest.ts) with paths relative to the data set's folder, and its
 * splits if it gives some. Images not listed keep theirs; a sample that does not change stays the same object. Throws
 * DATASET_NOT_FOUND, DATASET_LAYOUT (a bad line, or no image named), DATASET_CLASSES.
 */
export async function relabelled<S extends Sample>(dataset: Dataset<S>, file: string): Promise<Dataset<S>> {
  const own = new Set(dataset.samples.map(({ path }) => path));
  const list = await readManifestFile(file, { root: dataset.root, isThere: (path) => own.has(path) });
  const byPath = new Map(list.samples.map((sample) => [sample.path, sample]));
  const warnings = [...dataset.warnings, ...list.warnings];
  let [named, changed] = [0, 0];
  const samples = dataset.samples.map((sample) => {
    const other = byPath.get(sample.path);
    if (other === undefined) return sample;
    named++;
    const split = list.givesSplits ? other.split : sample.split;
    if (other.label === sample.label && split === sample.split) return sample;
    changed++;
    return { ...sample, label: other.label, split };
  });
  if (named === 0)
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${file} names none of the ${samples.length} images of ${dataset.root}. Its paths must be relative to that folder, as ${JSON.stringify(samples[0]?.path)} is.`,
    );
  const others = list.samples.length - named - dataset.failures.filter(({ path }) => byPath.has(path)).length;
  if (others > 0) warnings.push(`${file} names ${others} images that the data set has not.`);
  warnings.push(`${file} gives ${changed} of ${samples.length} images another label or split.`);
  checkClasses(file, samples, warnings);
  return { ...dataset, samples, hasSplits: samples.some((s) => s.split !== 'train'), warnings };
}

/** What was found of a data set, in any order. */
type Listed = Found & Pick<Dataset, 'root' | 'open'>;

/** What a data set on the disk holds: a folder, a list, archives. */
async function listedOnDisk(where: string): Promise<Listed> {
  const archives = await namedArchives(where);
  if (archives !== undefined) return { root: where, ...(await archiveSamples(archives)) };
  if (isCompressedName(where)) refuseCompressed(where);
  const facts = await stat(where).catch((cause: unknown) => {
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `There is no data set at ${where}: ${reasonOf(cause)}. ${LAYOUT_HELP}`,
      { cause },
    );
  });
  if (facts.isFile()) return { failures: [], ...(await readManifestFile(where)) };
  const tree = imageTree(where);
  const inside = (await tree.foldersWithImages('')).length > 0 ? undefined : await archivesInFolder(where, tree);
  return { root: where, ...(await (inside === undefined ? samplesOfTree(tree, where) : archiveSamples(inside))) };
}

/** What a data set in S3 holds: a list, or what lies below a prefix. */
async function listedInS3(where: string): Promise<Listed> {
  if (isListName(where)) return { failures: [], ...(await readManifestFile(where)) };
  return bucketDataset(where);
}

/**
 * Finds the images of `where`, a path or an address s3://bucket/prefix: a folder with splits (Train/, Val/, Test/ and
 * their like), a folder of class folders, a list (dataset-manifest.ts), tar archives or Parquet files: one, a folder of
 * them, or a pattern. Hidden files and folders of the system are left out and told. Throws DATASET_NOT_FOUND,
 * DATASET_EMPTY, DATASET_LAYOUT, DATASET_CLASSES, ARCHIVE_CORRUPT or PACKAGE_MISSING; of S3 DATASET_UNREACHABLE.
 */
export async function scanDataset(where: string): Promise<Dataset> {
  const found = await (isS3Address(where) ? listedInS3 : listedOnDisk)(where);
  const { root, samples, warnings, failures, open } = found;
  if (samples.length === 0) throw new PermafrostError('DATASET_EMPTY', `${where} names no image. ${LAYOUT_HELP}`);
  samples.sort((a, b) => byCodeUnits(a.path, b.path));
  checkClasses(where, samples, warnings);
  const hasSplits = samples.some((s) => s.split !== 'train');
  return { root, samples, hasSplits, warnings, failures, ...(open && { open }) };
}
