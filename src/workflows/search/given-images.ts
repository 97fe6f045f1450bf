import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { bucketKeys } from '../../extract/dataset/bucket-keys.ts';
import { isImageName, list } from '../../extract/dataset/image-tree.ts';
import { isHiddenName, isStoreName, isSystemFolder } from '../../extract/dataset/left-out-names.ts';
import { isS3Address, s3Root } from '../../extract/source/s3/address.ts';
import { openS3 } from '../../extract/source/s3/s3-access.ts';
import { placeOf } from '../../extract/source/place.ts';

/** What was met in a folder beside images. */
interface Found {
  readonly images: string[];
  others: number;
  /** Files and folders that are hidden, or the system's own. */
  hidden: number;
  readonly seen: Set<string>;
}

async function walk(folder: string, found: Found): Promise<void> {
  const real = await realpath(folder);
  // A link that leads back is no end.
  if (found.seen.has(real)) return;
  found.seen.add(real);
  const { images, folders, others, illegible, leftOut } = await list(folder);
  found.others += others.length + illegible.length;
  found.hidden += leftOut.folders.length + leftOut.images.length;
  for (const name of images) found.images.push(join(folder, name));
  for (const name of folders) await walk(join(folder, name), found);
}

/** Whether a place below a prefix is hidden, or in a folder that is. */
function isLeftOut(at: string): boolean {
  const parts = at.split('/');
  const name = parts.pop()!;
  return isHiddenName(name) || parts.some((part) => isHiddenName(part) || isSystemFolder(part) || isStoreName(part));
}

async function walkBucket(where: string, found: Found): Promise<void> {
  const root = s3Root(where);
  const s3 = await openS3();
  const { files } = await bucketKeys(s3, root).finally(() => s3.close());
  for (const { at, path } of files) {
    if (at.endsWith('/')) continue;
    if (isLeftOut(at)) found.hidden++;
    else if (isImageName(at)) found.images.push(placeOf(root, path));
    else found.others++;
  }
}

const counted = (n: number, one: string): string => `${n} ${n === 1 ? one : `${one}s`}`;

async function imagesIn(folder: string, listener: Listener): Promise<string[]> {
  const found: Found = { images: [], others: 0, hidden: 0, seen: new Set() };
  await (isS3Address(folder) ? walkBucket : walk)(folder, found);
  const { images, others, hidden } = found;
  const left = [
    ...(others > 0 ? [counted(others, 'other file')] : []),
    ...(hidden > 0 ? [`${hidden} hidden or the system's own`] : []),
  ].join(', ');
  if (images.length === 0) {
    throw new PermafrostError(
      'DATASET_EMPTY',
      `The folder ${folder} holds no image${left === '' ? '' : ` (${left})`}. Name image files, or a folder with some in it, at any depth.`,
    );
  }
  listener.note?.(`${folder}: ${counted(images.length, 'image')}${left === '' ? '' : `; left out: ${left}`}.`);
  return images;
}

/**
 * The image files that were meant: a folder stands for all images in it, at any depth, hidden files left out; a file is
 * taken as it is. So it is with addresses of S3: what is not named as an image is a prefix. Throws OPTION_INVALID for a
 * web address, DATASET_EMPTY for a folder without an image, and what listing a bucket throws.
 */
export async function givenImages(given: readonly string[], listener: Listener = {}): Promise<string[]> {
  const address = given.find((path) => /^[a-z][a-z0-9+.-]+:\/\//i.test(path) && !isS3Address(path));
  if (address !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${address} is an address, and such addresses are not read: of the web permafrost fetches nothing. Save the image and name the file, or its address s3://bucket/key.`,
    );
  }
  const files: string[] = [];
  for (const path of given) {
    const isFolder = isS3Address(path)
      ? !isImageName(path) || path.endsWith('/')
      : await stat(path).then(
          (facts) => facts.isDirectory(),
          () => false,
        );
    // One by one: a folder may hold more than a call may have arguments.
    if (isFolder) for (const image of await imagesIn(path, listener)) files.push(image);
    else files.push(path);
  }
  return files;
}
