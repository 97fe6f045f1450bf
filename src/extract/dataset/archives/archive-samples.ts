import type { Found } from '../folder-dataset.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { splitsOfArchives } from './archive-splits.ts';
import { parquetSamples } from './parquet-samples.ts';
import { tarSamples } from './tar-samples.ts';

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
