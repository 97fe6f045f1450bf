import type { Found } from '../folder-dataset.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { parquetSamples } from './parquet-samples.ts';
import { tarSamples } from './tar-samples.ts';

/** The images in archives, by their kind. Throws as tarSamples and parquetSamples. */
export const archiveSamples = (archives: ArchiveFiles): Promise<Found> =>
  archives.kind === 'tar' ? tarSamples(archives) : parquetSamples(archives);
