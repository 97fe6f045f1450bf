import { few, PermafrostError } from '../../../core/errors.ts';
import type { ByteFile } from '../../archives/byte-file.ts';
import { openParquet, rowFacts, type ParquetImages } from '../../archives/parquet-file.ts';
import { rowPath } from '../../archives/parquet-rows.ts';
import type { Found } from '../folder-dataset.ts';
import type { ArchiveAccess, NamedArchive } from './archive-files.ts';
import { samplesOfRecords, type ImageRecord } from './records.ts';
import { writtenClass, type ClassNames } from './sample-classes.ts';
import { pathIn } from './web-dataset.ts';

/** The rows of one file as records. */
async function recordsIn(
  { name, split }: NamedArchive,
  file: ByteFile,
  parquet: ParquetImages,
): Promise<ImageRecord[]> {
  const splits = split === undefined ? [] : [{ from: 'the name of its file', split }];
  const from = `the column ${parquet.columns.label}`;
  return (await rowFacts(file, parquet)).map(({ label, split: word, name: inner }, i) => {
    const path = pathIn(name, rowPath(i, parquet.rows, inner));
    return { path, splits, word, written: writtenClass(path, label === undefined ? [] : [{ from, value: label }]) };
  });
}

/** The names of classes that all files give; each that gives some must give the same. Throws DATASET_LAYOUT. */
function sameNames(known: ClassNames | undefined, own: ClassNames | undefined): ClassNames | undefined {
  if (known === undefined || own === undefined) return known ?? own;
  if (own.list.join('\n') !== known.list.join('\n'))
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${known.from} and ${own.from} name their classes differently. Give data sets with other classes alone.`,
    );
  return known;
}

/**
 * The images in the rows of Parquet files. Throws DATASET_LAYOUT, DATASET_EMPTY, ARCHIVE_CORRUPT, and PACKAGE_MISSING
 * without hyparquet.
 */
export async function parquetSamples(
  archives: readonly NamedArchive[],
  { where, withFile, classNames }: ArchiveAccess,
): Promise<Found> {
  const told = new Set<string>();
  const records: ImageRecord[] = [];
  let classes: ClassNames | undefined;
  for (const archive of archives) {
    await withFile(archive.name, async (file) => {
      const parquet = await openParquet(file);
      const { columns, columnNames } = parquet;
      for (const warning of columns.warnings) told.add(warning);
      if (columns.label === undefined)
        throw new PermafrostError(
          'DATASET_LAYOUT',
          `${file.name}: no column says what the images show (columns: ${few(columnNames, 12)}). Call it label; it may hold names or numbers.`,
        );
      classes = sameNames(classes, columns.classNames && { from: file.name, list: columns.classNames });
      for (const record of await recordsIn(archive, file, parquet)) records.push(record);
    });
  }
  if (records.length === 0) throw new PermafrostError('DATASET_EMPTY', `${where} has no rows.`);
  const classHelp = 'Give each row a class, or take these rows out.';
  const found = samplesOfRecords(
    records,
    { where, field: 'the column split', classHelp },
    classes ?? (await classNames()),
  );
  return { samples: found.samples, warnings: [...told, ...found.warnings], failures: [] };
}
