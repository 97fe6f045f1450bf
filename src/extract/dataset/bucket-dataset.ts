import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import type { ImageSource } from '../source/image-source.ts';
import { belowS3, parseS3Address, s3Root } from '../source/s3/address.ts';
import { objectStamps } from '../source/s3/object-stamp.ts';
import { s3Source } from '../source/s3/s3-source.ts';
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
 * The images below `s3://bucket/prefix`, laid out as in folders. Throws DATASET_NOT_FOUND, DATASET_EMPTY,
 * DATASET_LAYOUT, DATASET_UNREACHABLE, PACKAGE_MISSING.
 */
export async function bucketDataset(where: string): Promise<BucketDataset> {
  const root = s3Root(where);
  const { files, stamps, warnings } = await bucketKeys(root);
  if (files.length === 0)
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `There is no data set at ${where}: no key begins with ${JSON.stringify(parseS3Address(belowS3(root, '')).key)}. A prefix is whole up to a slash. ${LAYOUT_HELP}`,
    );
  const found = await samplesOfTree(pathTree(files), root);
  // Stamps are found by halving.
  const samples = found.samples.sort((a, b) => byCodeUnits(a.path, b.path));
  const known = objectStamps(samples, (path) => stamps.get(path));
  const asked = s3Source(root);
  await requireReading(root, samples, asked).finally(() => asked.close());
  return {
    ...found,
    root,
    samples,
    warnings: [...warnings, ...found.warnings],
    open: () => Promise.resolve(s3Source(root, known)),
  };
}
