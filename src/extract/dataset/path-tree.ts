import { byCodeUnits, emptyListing, enter, sortListing, within, type ImageTree, type Listing } from './image-tree.ts';

/** A file that stands in a tree at one path, and is listed under another. */
export interface PlacedFile {
  /** Where it stands in the tree: folders with slashes, and its name. What ends in a slash is a folder. */
  readonly at: string;
  /** The path of its sample. Several files may stand at one place, as those of several archives do. */
  readonly path: string;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  /** By name in this folder: the paths of the samples. */
  readonly files: Map<string, string[]>;
  listing?: Listing;
}

const emptyFolder = (): Folder => ({ folders: new Map(), files: new Map() });

/** The tree of files that are listed already: members of archives, objects of a bucket. It has no links. */
export function pathTree(files: Iterable<PlacedFile>): ImageTree {
  const top = emptyFolder();
  for (const { at, path } of files) {
    const parts = at.split('/');
    const name = parts.pop()!;
    let folder = top;
    for (const part of parts) {
      let inner = folder.folders.get(part);
      if (inner === undefined) folder.folders.set(part, (inner = emptyFolder()));
      folder = inner;
    }
    if (name === '') continue;
    const same = folder.files.get(name);
    if (same === undefined) folder.files.set(name, [path]);
    else same.push(path);
  }
  const leftOut = { folders: new Set<string>(), images: new Set<string>() };

  function folderAt(path: string): Folder {
    let folder = top;
    for (const part of path === '' ? [] : path.split('/')) folder = folder.folders.get(part)!;
    return folder;
  }
  function read(path: string): Listing {
    const folder = folderAt(path);
    if (folder.listing !== undefined) return folder.listing;
    const listing = emptyListing();
    for (const name of folder.folders.keys()) enter(listing, name, true);
    // A name once for each file of it: they are counted.
    for (const [name, { length }] of folder.files) for (let i = 0; i < length; i++) enter(listing, name, false);
    sortListing(listing);
    for (const name of listing.leftOut.folders) leftOut.folders.add(within(path, name));
    for (const name of listing.leftOut.images) leftOut.images.add(within(path, name));
    return (folder.listing = listing);
  }
  function holdsImage(path: string): boolean {
    const { images, folders } = read(path);
    return images.length > 0 || folders.some((name) => holdsImage(within(path, name)));
  }
  const pathsOf = (path: string, names: readonly string[]): string[] => {
    const { files: own } = folderAt(path);
    return [...new Set(names)].flatMap((name) => own.get(name)!);
  };

  return {
    leftOut,
    list: (path) => Promise.resolve(read(path)),
    foldersWithImages: (path) => Promise.resolve(read(path).folders.filter((name) => holdsImage(within(path, name)))),
    imagesBelow(prefix, folders) {
      const deeper: string[] = [];
      const ignored: string[] = [];
      function walk(path: string, found: string[]): string[] {
        const { images, others, folders: inner } = read(path);
        for (const file of pathsOf(path, others)) ignored.push(file);
        for (const file of pathsOf(path, images)) found.push(file);
        for (const name of inner) {
          const below = within(path, name);
          if (read(below).images.length > 0) deeper.push(below);
          walk(below, found);
        }
        return found;
      }
      const images = new Map(folders.map((folder) => [folder, walk(prefix + folder, []).sort(byCodeUnits)] as const));
      return Promise.resolve({ images, deeper, ignored, illegible: [] });
    },
  };
}
