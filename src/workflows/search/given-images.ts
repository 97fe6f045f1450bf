import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { archiveKind, isArchivePattern } from '../../extract/archives/archive-place.ts';
import { bucketKeys } from '../../extract/dataset/bucket-keys.ts';
import { archivedImages } from '../../extract/dataset/archives/archive-samples.ts';
import type { ArchiveFiles } from '../../extract/dataset/archives/archive-files.ts';
import { namedArchives } from '../../extract/dataset/archives/local-archives.ts';
import { archivesAt } from '../../extract/dataset/archives/s3-archives.ts';
import { isImageName, list } from '../../extract/dataset/image-tree.ts';
import { isHiddenName, isStoreName, isSystemFolder } from '../../extract/dataset/left-out-names.ts';
import { isS3Address, s3Root } from '../../extract/source/s3/address.ts';
import { openS3 } from '../../extract/source/s3/s3-access.ts';
import { s3Source } from '../../extract/source/s3/s3-source.ts';
import { placeOf } from '../../extract/source/place.ts';
import type { Work } from '../work.ts';
import { isPattern, matching } from './matching-images.ts';
import { imagesInList, imagesInNames, isListOfImages } from './named-images.ts';

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

/** The archives that a path or an address names, or undefined. */
async function archivesNamed(
  path: string,
): Promise<(ArchiveFiles & { readonly close?: () => Promise<void> }) | undefined> {
  if (!isS3Address(path)) return namedArchives(path);
  const source = s3Source(path);
  const found = archivesAt(source, path);
  return found && { ...found, close: () => source.close() };
}

async function walkArchives(where: string, archives: ArchiveFiles, found: Found): Promise<void> {
  const { images, others } = await archivedImages(archives);
  const isPattern = archives.names[0] !== '';
  const folder = isPattern ? where.slice(0, where.lastIndexOf('/') + 1) : `${where}/`;
  for (const path of images) found.images.push(folder + path);
  found.others += others;
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
  const archives = await archivesNamed(folder);
  try {
    if (archives !== undefined) await walkArchives(folder, archives, found);
    else await (isS3Address(folder) ? walkBucket : walk)(folder, found);
  } finally {
    await archives?.close?.();
  }
  const { images, others, hidden } = found;
  const left = [
    ...(others > 0 ? [counted(others, 'other file')] : []),
    ...(hidden > 0 ? [`${hidden} hidden or the system's own`] : []),
  ].join(', ');
  if (images.length === 0) {
    throw new PermafrostError(
      'DATASET_EMPTY',
      `${archives === undefined ? 'The folder ' : ''}${folder} holds no image${left === '' ? '' : ` (${left})`}. Name image files, or a folder or an archive with some in it, at any depth.`,
    );
  }
  listener.note?.(`${folder}: ${counted(images.length, 'image')}${left === '' ? '' : `; left out: ${left}`}.`);
  return images;
}

/** The images that a pattern of files means, the other files being told. */
async function imagesMatching(pattern: string, listener: Listener): Promise<string[]> {
  const { files, folders } = await matching(pattern);
  const images = files.filter(isImageName);
  if (images.length > 0) {
    const others = files.length - images.length;
    listener.note?.(
      `${pattern}: ${counted(images.length, 'image')}${others > 0 ? `; left out: ${counted(others, 'other file')}` : ''}.`,
    );
    return images;
  }
  if (folders.length === 0)
    throw new PermafrostError(
      'DATASET_EMPTY',
      files.length > 0
        ? `${pattern} matches ${counted(files.length, 'file')}, and none is named as an image is (${few(files, 3)}).`
        : `${pattern} is not there, and as a pattern it matches nothing. Patterns know * ? [abc] {a,b} and **, for folders at any depth.`,
    );
  const found: string[] = [];
  for (const folder of folders) for (const image of await imagesIn(folder, listener)) found.push(image);
  return found;
}

async function imagesOfList(file: string, listener: Listener): Promise<string[]> {
  const images = await imagesInList(file);
  if (images.length === 0) throw new PermafrostError('DATASET_EMPTY', `The list ${file} names no image.`);
  listener.note?.(`${file}: a list of ${counted(images.length, 'image')}.`);
  return images;
}

async function imagesNamed({ names, listener = {} }: GivenWork): Promise<string[]> {
  if (names === undefined)
    throw new PermafrostError(
      'OPTION_INVALID',
      '"-" stands for names on standard input, and none is given here. Give the paths themselves.',
    );
  const images = await imagesInNames(names);
  if (images.length === 0) throw new PermafrostError('DATASET_EMPTY', 'Standard input names no image.');
  listener.note?.(`Standard input: names of ${counted(images.length, 'image')}.`);
  return images;
}

/** Who is told what was found, and what "-" stands for. */
export interface GivenWork extends Pick<Work, 'listener'> {
  /** Standard input: names of images, a line each. */
  readonly names?: AsyncIterable<Uint8Array> | undefined;
}

/** What a name stands for that leads to no file: a pattern, or a file that is not there. */
async function notThere(path: string, listener: Listener): Promise<readonly string[]> {
  if (isArchivePattern(path)) return imagesIn(path, listener);
  return isPattern(path) ? imagesMatching(path, listener) : [path];
}

async function imagesOf(path: string, work: GivenWork): Promise<readonly string[]> {
  const { listener = {} } = work;
  if (path === '-') return imagesNamed(work);
  if (isS3Address(path)) return !isImageName(path) || path.endsWith('/') ? imagesIn(path, listener) : [path];
  const facts = await stat(path).catch(() => undefined); // told where the image is read
  if (facts === undefined) return notThere(path, listener);
  if (facts.isDirectory() || archiveKind(path) !== undefined) return imagesIn(path, listener);
  return isListOfImages(path) ? imagesOfList(path, listener) : [path];
}

/**
 * The image files that were meant: a folder or an archive stands for all images in it, at any depth, hidden files left
 * out; a list for the images that it names; a pattern for the files that it matches, where no file has that name; "-"
 * for names on standard input; any other file is taken as it is. So it is with addresses of S3: what is not named as an
 * image is a prefix. Throws OPTION_INVALID for a web address, DATASET_EMPTY for what stands for no image,
 * DATASET_LAYOUT for a bad line of a list, and what listing a bucket throws.
 */
export async function givenImages(given: readonly string[], work: GivenWork = {}): Promise<string[]> {
  const address = given.find((path) => /^[a-z][a-z0-9+.-]+:\/\//i.test(path) && !isS3Address(path));
  if (address !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${address} is an address, and such addresses are not read: of the web permafrost fetches nothing. Save the image and name the file, or its address s3://bucket/key.`,
    );
  }
  const files: string[] = [];
  // One by one: a folder may hold more than a call may have arguments.
  for (const path of given) for (const image of await imagesOf(path, work)) files.push(image);
  return files;
}
