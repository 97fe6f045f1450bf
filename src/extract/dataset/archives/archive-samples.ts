import type { ByteFile } from '../../archives/byte-file.ts';
import { openParquet, rowFacts } from '../../archives/parquet-file.ts';
import { rowPath } from '../../archives/parquet-rows.ts';
import { tarIndexOf } from '../../archives/tar-indexes.ts';
import type { Found } from '../folder-dataset.ts';
import { byCodeUnits, isImageName } from '../image-tree.ts';
import { isHiddenName, isSystemFolder } from '../left-out-names.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { splitsOfArchives } from './archive-splits.ts';
import { parquetSamples } from './parquet-samples.ts';
import { tarSamples } from './tar-samples.ts';
import { pathIn } from './web-dataset.ts';

/**
 * The images in the archives of a data set; those beside archives that are named for splits are left out and told.
 * Throws DATASET_LAYOUT, DATASET_EMPTY, DATASET_NOT_FOUND, ARCHIVE_CORRUPT, and PACKAGE_MISSING of Parquet.
 */
export async function archiveSamples(files: ArchiveFiles): Promise<Found> {
  const { splits, warnings } = splitsOfArchives(files.where, files.names);
  const archives = files.names
    .filter((name) => splits?.has(name) ?? true)
    .map((name) => ({ name, split: splits?.get(name) }));
  const found = await (files.kind === 'tar' ? tarSamples : parquetSamples)(archives, files);
  return { ...found, warnings: [...files.warnings, ...warnings, ...found.warnings] };
}

/**
 * The paths of all images in archives, whatever they show, and how many other members there are. Throws
 * DATASET_NOT_FOUND, ARCHIVE_CORRUPT, DATASET_LAYOUT, and PACKAGE_MISSING of Parquet.
 */
export async function archivedImages({
  kind,
  names,
  withFile,
}: ArchiveFiles): Promise<{ images: string[]; others: number }> {
  const images: string[] = [];
  let others = 0;
  for (const name of names) {
    const paths = await withFile(name, async (file) => (kind === 'tar' ? tarPaths(file) : rowPaths(file)));
    for (const { path, isImage } of paths) {
      if (isImage) images.push(pathIn(name, path));
      else others++;
    }
  }
  return { images: images.sort(byCodeUnits), others };
}

interface ArchivedPath {
  readonly path: string;
  readonly isImage: boolean;
}

async function tarPaths(file: ByteFile): Promise<ArchivedPath[]> {
  const { members, illegible } = await tarIndexOf(file);
  const isImage = (path: string): boolean =>
    isImageName(path) && !path.split('/').some((part) => isHiddenName(part) || isSystemFolder(part));
  return [
    ...Array.from(members.keys(), (path) => ({ path, isImage: isImage(path) })),
    ...illegible.map((path) => ({ path, isImage: false })),
  ];
}

async function rowPaths(file: ByteFile): Promise<ArchivedPath[]> {
  const parquet = await openParquet(file);
  const rows = await rowFacts(file, parquet);
  return rows.map(({ name }, i) => ({ path: rowPath(i, parquet.rows, name), isImage: true }));
}
