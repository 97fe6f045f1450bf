import { stat } from 'node:fs/promises';
import { folderOf, rootKind } from '../archives/archive-place.ts';
import { withLocalFile } from '../archives/byte-file.ts';
import { folderSource, type FolderLinks } from './folder-source.ts';
import type { ImageSource } from './image-source.ts';
import { withArchives } from './with-archives.ts';

/** Images on a disk: in a folder and the archives in it, in one archive, or in those of a pattern. */
export async function localSource(root: string, links: FolderLinks = {}): Promise<ImageSource> {
  const rootIs = await rootKind(root);
  const { requireInside, ...folder } = folderSource(folderOf(root, rootIs), links);
  return withArchives(
    { ...folder, root },
    {
      rootIs,
      withArchive: withLocalFile,
      requireInside,
      isArchive: (archive) =>
        stat(archive).then(
          (facts) => facts.isFile(),
          () => false, // told where it is read
        ),
    },
  );
}
