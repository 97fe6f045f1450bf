import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import type { ImageSource } from '../source/image-source.ts';
import { belowS3, parseS3Address, s3Root } from '../source/s3/address.ts';
import { objectStamps } from '../source/s3/object-stamp.ts';
import { s3Images } from '../source/s3/s3-images.ts';
import { s3Source, type S3Source } from '../source/s3/s3-source.ts';
import type { ArchiveFiles } from './archives/archive-files.ts';
import { archiveSamples } from './archives/archive-samples.ts';
import { archivesAt, archivesBelow } from './archives/s3-archives.ts';
import { bucketKeys } from './bucket-keys.ts';
import { samplesOfTree, type Found } from './folder-dataset.ts';
import { LAYOUT_HELP } from './folder-layout.ts';
import { byCodeUnits } from './image-tree.ts';
import { pathTree } from './path-tree.ts';

/** Throws DATASET_UNREACHABLE where objects are listed and none of some can be read: the credentials may only list. */
async function requireReading(root: string, samples: readonly Sample[], source: ImageSource): Promise<void> {
  const asked = new Set([0, samples.length >> 1, samples.length - 1]);
  let last: unknown;
  for (const i of asked) {
    try {
      // Without stamps of its own, it asks the storage.
      await source.stamp(samples[i]!.path);
      return;
    } catch (error) {
      if (!(error instanceof PermafrostError) || error.code !== 'IMAGE_UNREADABLE') throw error;
      last = error;
    }
  }
  throw new PermafrostError(
    'DATASET_UNREACHABLE',
    `${root} can be listed, but none of ${asked.size} images that were asked for can be read. The last: ${reasonOf(last)}`,
    { cause: last },
  );
}

/** The images below a prefix of a bucket, and how they are opened with what listing told of them. */
export interface BucketDataset extends Found {
  readonly root: string;
  readonly open: () => Promise<ImageSource>;
}

/**
 * The images below `s3://bucket/prefix`, laid out as in folders, or in archives: of an address that ends in .tar or
 * .parquet, of a pattern, or below the prefix. Throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_LAYOUT,
 * DATASET_UNREACHABLE, ARCHIVE_CORRUPT, PACKAGE_MISSING.
 */
export async function bucketDataset(where: string): Promise<BucketDataset> {
  const root = s3Root(where);
  const source = s3Source(root);
  try {
    const named = archivesAt(source, root);
    return await (named === undefined ? below(source, where, root) : inArchives(named, root));
  } finally {
    await source.close();
  }
}

const inArchives = async (archives: ArchiveFiles, root: string): Promise<BucketDataset> => ({
  root,
  ...(await archiveSamples(archives)),
  open: () => Promise.resolve(s3Images(root)),
});

async function below(source: S3Source, where: string, root: string): Promise<BucketDataset> {
  const { files, stamps, warnings } = await bucketKeys(await source.access(), root);
  if (files.length === 0)
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `There is no data set at ${where}: no key begins with ${JSON.stringify(parseS3Address(belowS3(root, '')).key)}. A prefix is whole up to a slash. ${LAYOUT_HELP}`,
    );
  const tree = pathTree(files);
  const archives = (await tree.foldersWithImages('')).length > 0 ? undefined : await archivesBelow(source, root, tree);
  if (archives !== undefined) {
    const found = await inArchives(archives, root);
    return { ...found, warnings: [...warnings, ...found.warnings] };
  }
  const found = await samplesOfTree(tree, root);
  // Stamps are found by halving.
  const samples = found.samples.sort((a, b) => byCodeUnits(a.path, b.path));
  const known = objectStamps(samples, (path) => stamps.get(path));
  await requireReading(root, samples, source);
  return {
    ...found,
    root,
    samples,
    warnings: [...warnings, ...found.warnings],
    open: () => Promise.resolve(s3Images(root, known)),
  };
}
