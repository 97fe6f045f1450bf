import { few, PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { ByteFile } from '../../archives/byte-file.ts';
import { tarIndexOf } from '../../archives/tar-indexes.ts';
import { illegible, samplesOfTree, type Found } from '../folder-dataset.ts';
import { isImageName } from '../image-tree.ts';
import { pathTree } from '../path-tree.ts';
import type { ArchiveAccess, NamedArchive } from './archive-files.ts';
import { CLASS_FIELDS, isSideFile, joined, keyOf, sideOfClass, sideOfJson, type Side } from './side-files.ts';
import { namesClasses, pathIn, webSamples, type Shard } from './web-dataset.ts';

/** What one archive holds, its small files read. */
interface ReadShard extends Shard {
  readonly illegible: readonly string[];
  readonly remarks: readonly string[];
  /** What is wrong with a file beside an image. It counts only where such files name classes. */
  readonly problem: PermafrostError | undefined;
}

/** Reads the headers of an archive, and the .cls and .json in it; `fields` gets the names of all fields of these. */
async function readShard(file: ByteFile, archive: NamedArchive, fields: Set<string>): Promise<ReadShard> {
  const sides = new Map<string, Side>();
  let problem: PermafrostError | undefined;
  const { members, ...rest } = await tarIndexOf(file, {
    wants: isSideFile,
    give(path, content) {
      const { key, extension } = keyOf(path)!;
      try {
        sides.set(
          key,
          joined(sides.get(key), extension === 'cls' ? sideOfClass(content) : sideOfJson(content, fields)),
        );
      } catch (cause) {
        problem ??= new PermafrostError('DATASET_LAYOUT', `${file.name}: ${path} ${reasonOf(cause)}.`, { cause });
      }
    },
  });
  return { ...archive, ...rest, paths: [...members.keys()], sides, problem };
}

/** Images in archives whose folders are classes, laid out as a folder's are: all archives together are one tree. */
async function folderSamplesIn(where: string, shards: readonly Shard[], fields: ReadonlySet<string>): Promise<Found> {
  const files = shards.flatMap(({ name, split, paths }) =>
    paths.map((path) => ({ at: split === undefined ? path : `${split}/${path}`, path: pathIn(name, path) })),
  );
  const first = files.find(({ at }) => isImageName(at));
  if (first === undefined)
    throw new PermafrostError(
      'DATASET_EMPTY',
      `${where}: no image is in ${shards.length === 1 ? 'this archive' : `these ${shards.length} archives`}${files.length > 0 ? ` (found: ${few(files.map(({ path }) => path))})` : ''}.`,
    );
  const inFolders = shards.some(({ paths }) => paths.some((path) => path.includes('/') && isImageName(path)));
  if (!inFolders) {
    const found = fields.size > 0 ? ` (its .json have ${few([...fields], 12)})` : '';
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${where}: nothing says what the images show, such as ${first.path}. They need a folder named for their class inside the archive, or beside each image a .cls or a .json with one of ${CLASS_FIELDS.join(', ')}${found}. img2dataset writes such fields with --save_additional_columns.`,
    );
  }
  return samplesOfTree(pathTree(files), shards[0]!.name === '' ? where : `${where} (inside)`);
}

/** The images in tar archives. Throws as tarIndex, and DATASET_LAYOUT, DATASET_EMPTY. */
export async function tarSamples(
  archives: readonly NamedArchive[],
  { where, withFile, classNames }: ArchiveAccess,
): Promise<Found> {
  const fields = new Set<string>();
  const shards: ReadShard[] = [];
  for (const archive of archives) shards.push(await withFile(archive.name, (file) => readShard(file, archive, fields)));
  const isWeb = namesClasses(shards);
  const problem = shards.find((shard) => shard.problem !== undefined)?.problem;
  if (isWeb && problem !== undefined) throw problem;
  const found = isWeb
    ? { ...webSamples(where, shards, await classNames()), failures: [] }
    : await folderSamplesIn(where, shards, fields);
  return {
    samples: found.samples,
    warnings: [...shards.flatMap(({ remarks }) => remarks), ...found.warnings],
    failures: [
      ...found.failures,
      ...shards.flatMap(({ name, illegible: odd }) => odd.map((path) => illegible(pathIn(name, path)))),
    ],
  };
}
