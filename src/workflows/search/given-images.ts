import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { list } from '../../extract/dataset/image-tree.ts';

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

const counted = (n: number, one: string): string => `${n} ${n === 1 ? one : `${one}s`}`;

async function imagesIn(folder: string, listener: Listener): Promise<string[]> {
  const found: Found = { images: [], others: 0, hidden: 0, seen: new Set() };
  await walk(folder, found);
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
 * taken as it is. Throws OPTION_INVALID for a web address, DATASET_EMPTY for a folder without an image.
 */
export async function givenImages(given: readonly string[], listener: Listener = {}): Promise<string[]> {
  const address = given.find((path) => /^[a-z][a-z0-9+.-]+:\/\//i.test(path));
  if (address !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${address} is an address, and addresses are not read: permafrost sends and fetches nothing. Save the image and name the file.`,
    );
  }
  const files: string[] = [];
  for (const path of given) {
    const isFolder = await stat(path).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    // One by one: a folder may hold more than a call may have arguments.
    if (isFolder) for (const image of await imagesIn(path, listener)) files.push(image);
    else files.push(path);
  }
  return files;
}
