import type { FolderLinks } from './folder-source.ts';
import type { ImageSource } from './image-source.ts';
import { localSource } from './local-source.ts';
import { ALL_BUCKETS, isS3Address } from './s3/address.ts';
import { s3Images } from './s3/s3-images.ts';
import { s3Source } from './s3/s3-source.ts';

/**
 * Opens what the images of a data set are read from, by what its root is: an address in S3, a folder, archives; '' is
 * none, of images that are named one by one. It is opened once a command, and closed at its end. A folder that is not
 * there opens too: each of its images then cannot be read, and so is S3 where it cannot be reached.
 */
export async function imageSource(root: string, links: FolderLinks = {}): Promise<ImageSource> {
  if (root === '') return namedImages();
  return isS3Address(root) ? s3Images(root) : localSource(root, links);
}

/** Images that are named one by one, by the paths of files and by addresses. */
async function namedImages(): Promise<ImageSource> {
  const files = await localSource('');
  const objects = s3Source(ALL_BUCKETS);
  const inBucket = (path: string): string => path.slice(ALL_BUCKETS.length);
  return {
    root: '',
    stamp: (path) => (isS3Address(path) ? objects.stamp(inBucket(path)) : files.stamp(path)),
    read: (path, signal) => (isS3Address(path) ? objects.read(inBucket(path), signal) : files.read(path, signal)),
    async close() {
      await files.close();
      await objects.close();
    },
  };
}

/** Runs `work` with the source that is given, or with one opened from `root` and closed after it. */
export async function withSource<T>(
  { root, source }: { readonly root: string; readonly source?: ImageSource | undefined },
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  if (source !== undefined) return work(source);
  const own = await imageSource(root);
  try {
    return await work(own);
  } finally {
    await own.close();
  }
}
