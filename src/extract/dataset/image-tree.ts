import { isUtf8 } from 'node:buffer';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { isHiddenName, isStoreName, isSystemFolder } from './left-out-names.ts';

/** Extensions of images. Two (jxl, jp2) are not decoded: such files become failures that are counted. */
const IMAGE_EXTENSIONS = new Set(
  'jpg jpeg jpe jfif png webp gif tif tiff avif svg bmp dib ppm pgm pbm pnm heic heif hif jxl jp2'
    .split(' ')
    .map((e) => `.${e}`),
);

export const isImageName = (name: string): boolean => IMAGE_EXTENSIONS.has(extname(name).toLowerCase());
/** An order that no machine, file system or locale changes. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export interface Listing {
  readonly folders: string[];
  readonly images: string[];
  /** Files that are neither hidden nor images. */
  readonly others: string[];
  /** Names that are no UTF-8, their other bytes as \xNN: the system cannot be given such a name again. */
  readonly illegible: string[];
  /** What no person put there as data: hidden folders and the system's own, hidden files that are named as images. */
  readonly leftOut: { readonly folders: string[]; readonly images: string[] };
}

/** The names in a folder that are not valid UTF-8: how the system's listing shows each, and with its bytes legible. */
async function illegibleNames(folder: string): Promise<ReadonlyMap<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const bytes of await readdir(folder, { encoding: 'buffer' })) {
    if (isUtf8(bytes)) continue;
    const shown = bytes.toString('utf8');
    const legible = Array.from(bytes, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('');
    names.set(shown, [...(names.get(shown) ?? []), legible]);
  }
  return names;
}

export const emptyListing = (): Listing => ({
  folders: [],
  images: [],
  others: [],
  illegible: [],
  leftOut: { folders: [], images: [] },
});

/** Enters a folder or file into a listing, where it belongs by its name; permafrost's own stores nowhere. */
export function enter(listing: Listing, name: string, isFolder: boolean): void {
  if (isStoreName(name)) return;
  if (isFolder) (isHiddenName(name) || isSystemFolder(name) ? listing.leftOut.folders : listing.folders).push(name);
  else if (isHiddenName(name)) {
    if (isImageName(name)) listing.leftOut.images.push(name);
  } else (isImageName(name) ? listing.images : listing.others).push(name);
}

export function sortListing({ leftOut, ...names }: Listing): void {
  for (const found of [...Object.values(names), leftOut.folders, leftOut.images]) found.sort(byCodeUnits);
}

/**
 * One folder's entries, sorted; links count as what they point to, dangling ones as files. Throws DATASET_NOT_FOUND
 * where the folder cannot be read.
 */
export async function list(folder: string): Promise<Listing> {
  const listing = emptyListing();
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `${folder} cannot be listed: ${reasonOf(cause)}. Check its permissions.`,
      { cause },
    );
  }
  // What is no UTF-8 is listed with U+FFFD in its place, which a name may also hold in earnest.
  const odd = entries.some(({ name }) => name.includes('\ufffd'))
    ? await illegibleNames(folder)
    : new Map<string, string[]>();
  for (const names of odd.values()) for (const name of names) listing.illegible.push(name);
  for (const entry of entries) {
    const { name } = entry;
    if (odd.has(name)) continue;
    let directory = entry.isDirectory();
    if (entry.isSymbolicLink()) {
      const target = await stat(join(folder, name)).catch(() => lstat(join(folder, name)));
      directory = target.isDirectory();
    }
    enter(listing, name, directory);
  }
  sortListing(listing);
  return listing;
}

/** Whether `inner` is the folder `outer` or lies in it; both are real paths. */
const holds = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);

/** The images below some folders, and what else was met there. */
export interface ImagesBelow {
  /** By folder, in the order given: paths relative to the root. */
  readonly images: ReadonlyMap<string, readonly string[]>;
  /** Folders below the given ones that hold images themselves. */
  readonly deeper: readonly string[];
  /** Files that are no image, and links that lead back. */
  readonly ignored: readonly string[];
  /** Files and folders whose names cannot be told to the system again (see Listing). */
  readonly illegible: readonly string[];
}

/** A folder of images, each folder in it read once. Paths are relative to it, '' is the folder itself. */
export interface ImageTree {
  readonly list: (path: string) => Promise<Listing>;
  /** The folders right in `path` that hold an image, at any depth. */
  readonly foldersWithImages: (path: string) => Promise<string[]>;
  /**
   * All images at and below each of `folders`, side by side below `prefix` ('' or 'Train/'). A link to a folder that
   * was met already, or to one that holds them, is left out: no loop, and no image under two folders.
   */
  readonly imagesBelow: (prefix: string, folders: readonly string[]) => Promise<ImagesBelow>;
  /** What was left out in all folders that were read. */
  readonly leftOut: { readonly folders: ReadonlySet<string>; readonly images: ReadonlySet<string> };
}

export const within = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);

export function imageTree(root: string): ImageTree {
  const kept = new Map<string, Listing>();
  const leftOut = { folders: new Set<string>(), images: new Set<string>() };
  async function read(path: string): Promise<Listing> {
    let listing = kept.get(path);
    if (listing === undefined) {
      listing = await list(join(root, path));
      kept.set(path, listing);
      for (const name of listing.leftOut.folders) leftOut.folders.add(within(path, name));
      for (const name of listing.leftOut.images) leftOut.images.add(within(path, name));
    }
    return listing;
  }

  async function holdsImage(path: string, above: readonly string[]): Promise<boolean> {
    const { images, folders } = await read(path);
    if (images.length > 0) return true;
    if (folders.length === 0) return false;
    const real = await realpath(join(root, path));
    // A link that leads up again: what it holds is seen from there.
    if (above.includes(real)) return false;
    for (const name of folders) if (await holdsImage(within(path, name), [...above, real])) return true;
    return false;
  }

  async function foldersWithImages(path: string): Promise<string[]> {
    const found: string[] = [];
    for (const name of (await read(path)).folders) if (await holdsImage(within(path, name), [])) found.push(name);
    return found;
  }

  async function imagesBelow(prefix: string, folders: readonly string[]): Promise<ImagesBelow> {
    const home = await realpath(join(root, prefix));
    const seen = new Set<string>();
    const ignored: string[] = [];
    const illegible: string[] = [];
    const deeper: string[] = [];
    const isNew = async (path: string): Promise<boolean> => {
      const real = await realpath(join(root, path));
      if (seen.has(real) || holds(real, home)) {
        ignored.push(`${path}/ (a link to a folder that is listed already)`);
        return false;
      }
      seen.add(real);
      return true;
    };
    // One by one: the arguments of a call, as of push(...names), must not be hundreds of thousands.
    async function walk(path: string, found: string[] = []): Promise<string[]> {
      const { folders: inner, images, others, illegible: odd } = await read(path);
      // Names of a million files are not kept twice.
      kept.delete(path);
      for (const name of odd) illegible.push(`${path}/${name}`);
      for (const name of others) ignored.push(`${path}/${name}`);
      for (const name of images) found.push(`${path}/${name}`);
      for (const name of inner) {
        const below = `${path}/${name}`;
        if (!(await isNew(below))) continue;
        if ((await read(below)).images.length > 0) deeper.push(below);
        await walk(below, found);
      }
      return found;
    }
    const own: string[] = [];
    for (const folder of folders) if (await isNew(prefix + folder)) own.push(folder);
    const images = new Map(folders.map((folder): [string, string[]] => [folder, []]));
    for (const folder of own) images.set(folder, await walk(prefix + folder));
    return { images, deeper, ignored, illegible };
  }

  return { list: read, foldersWithImages, imagesBelow, leftOut };
}

/**
 * The folder below `path` to which single folders lead that hold nothing else, where it has several: what is wrapped.
 * It ends before a folder that `isKnown`; a chain that ends in images is no wrapper, and gives `path` itself.
 */
export async function unwrapped(
  tree: ImageTree,
  path: string,
  isKnown: (name: string) => boolean = () => false,
): Promise<string> {
  for (let inner = path; ;) {
    const folders = await tree.foldersWithImages(inner);
    // A picture beside splits, as a data set's cover, does not make a class of them.
    const isClass = (await tree.list(inner)).images.length > 0 && !folders.some(isKnown);
    if (inner !== path && (isClass || folders.length === 0)) return path;
    if (folders.length !== 1 || isKnown(folders[0]!)) return inner;
    inner = within(inner, folders[0]!);
  }
}
