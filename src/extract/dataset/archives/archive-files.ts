import { few, PermafrostError } from '../../../core/errors.ts';
import type { Split } from '../../../core/sample.ts';
import { archiveKind, type ArchiveKind } from '../../archives/archive-place.ts';
import type { ByteFile } from '../../archives/byte-file.ts';
import { leftOutWarnings } from '../folder-dataset.ts';
import { byCodeUnits, within, type ImageTree } from '../image-tree.ts';
import type { ClassNames } from './sample-classes.ts';

/** How archives are opened, and what lies beside them. */
export interface ArchiveAccess {
  /** The data set, for messages. */
  readonly where: string;
  /** Runs `work` on an archive, which is open meanwhile. Throws DATASET_NOT_FOUND. */
  readonly withFile: <T>(name: string, work: (file: ByteFile) => Promise<T>) => Promise<T>;
  /** The lines of classnames.txt beside the archives; undefined where it is not there. */
  readonly classNames: () => Promise<ClassNames | undefined>;
}

/** The archives of a data set, wherever they lie. */
export interface ArchiveFiles extends ArchiveAccess {
  readonly kind: ArchiveKind;
  /** Paths of the archives as sample paths begin, sorted; '' alone where the data set is one archive. */
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/** An archive that is listed, and the split that its name gives. */
export interface NamedArchive {
  readonly name: string;
  readonly split: Split | undefined;
}

/** The file that names the classes of numbers, as CLIP benchmark's data sets have it: a name a line. */
export const CLASS_NAMES = 'classnames.txt';

/** The names of classes in a text of one a line. */
export const namesInLines = (text: string): readonly string[] =>
  text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r?\n/);

/** What a name of an archive below a folder says of its kind. Throws DATASET_LAYOUT where there are two kinds. */
export function archiveFiles(
  names: readonly string[],
  access: ArchiveAccess,
  warnings: readonly string[],
): ArchiveFiles {
  const kinds = new Set(names.map((name) => archiveKind(name)!));
  if (kinds.size > 1) {
    const [tar, parquet] = (['tar', 'parquet'] as const).map((kind) =>
      names.find((name) => archiveKind(name) === kind),
    );
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${access.where} holds tar archives (${tar}) and Parquet files (${parquet}). Give a folder that has one kind of them.`,
    );
  }
  return { ...access, kind: [...kinds][0]!, names: [...new Set(names)].sort(byCodeUnits), warnings };
}

/** The archives in a tree that has no folders with images, and what lies beside them; undefined where it has none. */
export async function archivesIn(tree: ImageTree): Promise<{ names: string[]; warnings: string[] } | undefined> {
  const names: string[] = [];
  const images: string[] = [];
  async function walk(path: string): Promise<void> {
    const listing = await tree.list(path);
    for (const name of listing.others) if (archiveKind(name) !== undefined) names.push(within(path, name));
    for (const name of listing.images) images.push(within(path, name));
    for (const name of listing.folders) await walk(within(path, name));
  }
  await walk('');
  if (names.length === 0) return undefined;
  const beside = images.length === 0 ? [] : [`Ignored ${images.length} images beside the archives: ${few(images)}.`];
  return { names, warnings: [...beside, ...leftOutWarnings(tree)] };
}
