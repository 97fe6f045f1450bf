import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { expandBraces } from '../../archives/brace-pattern.ts';
import { archiveKind } from '../../archives/archive-place.ts';
import { belowS3, parseS3Address } from '../../source/s3/address.ts';
import { prefixOf, rootKindInS3 } from '../../source/s3/s3-images.ts';
import type { S3Source } from '../../source/s3/s3-source.ts';
import type { ImageTree } from '../image-tree.ts';
import {
  archiveFiles,
  archivesIn,
  CLASS_NAMES,
  namesInLines,
  type ArchiveAccess,
  type ArchiveFiles,
} from './archive-files.ts';
import type { ClassNames } from './sample-classes.ts';

/** What is wrong with one object, where all of it is needed. */
async function needed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof PermafrostError && cause.code === 'IMAGE_UNREADABLE')) throw cause;
    throw new PermafrostError('DATASET_NOT_FOUND', reasonOf(cause), { cause });
  }
}

async function classNames(source: S3Source, prefix: string): Promise<ClassNames | undefined> {
  const from = belowS3(prefix, CLASS_NAMES);
  try {
    const bytes = await (await source.access()).read(parseS3Address(from));
    return { from, list: namesInLines(bytes.toString('utf8')) };
  } catch (error) {
    // It need not be there.
    if (error instanceof PermafrostError && error.code === 'IMAGE_UNREADABLE') return undefined;
    throw error;
  }
}

const accessTo = (source: S3Source, where: string, prefix: string): ArchiveAccess => ({
  where,
  withFile: (name, work) => needed(source.withFile(belowS3(prefix, name), work)),
  classNames: () => classNames(source, prefix),
});

/** The archives below a prefix that has no class folders; undefined where there are none. Throws DATASET_LAYOUT. */
export async function archivesBelow(
  source: S3Source,
  root: string,
  tree: ImageTree,
): Promise<ArchiveFiles | undefined> {
  const found = await archivesIn(tree);
  return found && archiveFiles(found.names, accessTo(source, root, root), found.warnings);
}

/** The archives that an address names: itself, or those of its pattern; undefined where it is a prefix. */
export function archivesAt(source: S3Source, root: string): ArchiveFiles | undefined {
  const is = rootKindInS3(root);
  if (is === 'folder') return undefined;
  const prefix = prefixOf(root, is);
  if (is === 'pattern')
    return archiveFiles(
      expandBraces(root).map((address) => address.slice(prefix.length + 1)),
      accessTo(source, root, prefix),
      [],
    );
  return {
    ...accessTo(source, root, prefix),
    kind: archiveKind(root)!,
    names: [''],
    warnings: [],
    withFile: (_, work) => needed(source.withFile(root, work)),
  };
}
