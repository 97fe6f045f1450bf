import { PermafrostError } from '../../../core/errors.ts';
import { archiveKind, isArchivePattern, type RootKind } from '../../archives/archive-place.ts';
import type { ImageSource } from '../image-source.ts';
import { withArchives } from '../with-archives.ts';
import { belowS3, parseS3Address } from './address.ts';
import type { ObjectStamps } from './object-stamp.ts';
import { s3Source } from './s3-source.ts';

/** What a root in S3 is, by its name: an object that is called as an archive, a pattern of such, else a prefix. */
export function rootKindInS3(root: string): RootKind {
  if (isArchivePattern(root)) return 'pattern';
  return archiveKind(root) === undefined ? 'folder' : 'archive';
}

/** The prefix that the archives of a root lie below. */
export const prefixOf = (root: string, kind: RootKind): string =>
  kind === 'folder' ? root : root.slice(0, root.lastIndexOf('/'));

/**
 * Images in S3 as objects and in archives, by what the root is (rootKindInS3). `known` has stamps of objects. Throws as
 * s3Source.
 */
export function s3Images(root: string, known?: ObjectStamps): ImageSource {
  const rootIs = rootKindInS3(root);
  const prefix = prefixOf(root, rootIs);
  const addressOf = (archive: string): string => (archive === '' ? root : belowS3(prefix, archive));
  const objects = s3Source(prefix, known);
  return withArchives(
    { ...objects, root },
    {
      rootIs,
      withArchive: (archive, work) => objects.withFile(addressOf(archive), work),
      async isArchive(archive) {
        try {
          await (await objects.access()).facts(parseS3Address(addressOf(archive)));
          return true;
        } catch (error) {
          if (error instanceof PermafrostError && error.code === 'IMAGE_UNREADABLE') return false;
          throw error;
        }
      },
    },
  );
}
