import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { folderOf, rootKind } from '../archives/archive-place.ts';
import { withLocalFile } from '../archives/byte-file.ts';
import { folderSource, type FolderLinks } from './folder-source.ts';
import type { ImageSource } from './image-source.ts';
import { withArchives } from './with-archives.ts';

/** Images on a disk: in a folder and the archives in it, in one archive, or in those of a pattern. */
export async function localSource(root: string, links: FolderLinks = {}): Promise<ImageSource> {
  const rootIs = await rootKind(root);
  const folder = folderOf(root, rootIs);
  const { requireInside, ...files } = folderSource(folder, links);
  const fileOf = (archive: string): string => resolve(archive === '' ? root : join(folder, archive));
  return withArchives(
    { ...files, root },
    {
      rootIs,
      withArchive: (archive, work) => withLocalFile(fileOf(archive), work),
      requireInside,
      isArchive: (archive) =>
        stat(fileOf(archive)).then(
          (facts) => facts.isFile(),
          () => false, // told where it is read
        ),
    },
  );
}
