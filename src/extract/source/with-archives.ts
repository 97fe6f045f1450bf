import { archivePlace, type ArchivePlace, type RootKind } from '../archives/archive-place.ts';
import { archiveImages, type WithArchive } from './archive-images.ts';
import type { ImageSource } from './image-source.ts';

/** Where archives of a data set lie, and how they are opened. */
export interface ArchivesOfSource {
  readonly rootIs: RootKind;
  readonly withArchive: WithArchive;
  /** Whether there is such an archive: folders may be called as archives are. Asked once of each. */
  readonly isArchive: (archive: string) => Promise<boolean>;
  /** Is asked before an image of an archive below a folder is read; throws IMAGE_UNREADABLE. */
  readonly requireInside?: (archive: string) => Promise<void>;
}

/** A source of files and of images in archives: where a sample's path leads into an archive, that is read. */
export function withArchives(files: ImageSource, archives: ArchivesOfSource): ImageSource {
  const { root } = files;
  const { rootIs, withArchive, isArchive, requireInside } = archives;
  const images = archiveImages(withArchive);
  const known = new Map<string, Promise<boolean>>();
  async function placeIn(path: string): Promise<ArchivePlace | undefined> {
    const place = archivePlace(root, rootIs, path);
    if (place === undefined || rootIs === 'archive') return place;
    let found = known.get(place.archive);
    if (found === undefined) known.set(place.archive, (found = isArchive(place.archive)));
    return (await found) ? place : undefined;
  }
  return {
    root,
    async stamp(path) {
      const place = await placeIn(path);
      return place === undefined ? files.stamp(path) : images.stamp(place);
    },
    async read(path, signal) {
      const place = await placeIn(path);
      if (place === undefined) return files.read(path, signal);
      if (rootIs !== 'archive') await requireInside?.(place.archive);
      return images.read(place);
    },
    async close() {
      images.close();
      await files.close();
    },
  };
}
