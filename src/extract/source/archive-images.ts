import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText, type FileStamp } from '../../core/files/file-stamp.ts';
import type { ArchivePlace } from '../archives/archive-place.ts';
import type { ByteFile } from '../archives/byte-file.ts';
import { parquetRows, rowIn } from '../archives/parquet-rows.ts';
import { tarIndexOf } from '../archives/tar-indexes.ts';
import { requireReadable, unreadable } from './image-source.ts';

/** Opens an archive for a piece of work: on a disk, or in a bucket. */
export type WithArchive = <T>(archive: string, work: (file: ByteFile) => Promise<T>) => Promise<T>;

/** Images in archives. It opens an archive for each image, so as many are open as images are read at once. */
export interface ArchiveImages {
  stamp(place: ArchivePlace): Promise<FileStamp>;
  read(place: ArchivePlace): Promise<Buffer>;
  close(): void;
}

/** The stamp of a part of an archive: the archive's times, its own length, where it lies for the file's number. */
function stampOfPart({ stamp }: ByteFile, at: number, size: bigint): FileStamp {
  const place = sha256Hex(`${stampText(stamp)} ${at}`);
  return { ...stamp, size, ino: BigInt(`0x${place.slice(0, 15)}`) };
}

async function memberOf(file: ByteFile, path: string) {
  const { members } = await tarIndexOf(file);
  return members.get(path) ?? unreadable(`${file.name} has no ${path} any more. Run again to list it anew.`);
}

/** What is wrong with an archive is told of each image in it that is asked for. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'ARCHIVE_CORRUPT') unreadable(reasonOf(error), error);
    throw error;
  }
}

export function archiveImages(withArchive: WithArchive): ArchiveImages {
  const rows = parquetRows();
  return {
    stamp: ({ kind, archive, inner }) =>
      told(
        withArchive(archive, async (file) => {
          if (kind === 'parquet') return stampOfPart(file, rowIn(inner), file.stamp.size);
          const { offset, size } = await memberOf(file, inner);
          return stampOfPart(file, offset, BigInt(size));
        }),
      ),
    read: ({ kind, archive, inner }) =>
      told(
        withArchive(archive, async (file) => {
          if (kind === 'parquet') {
            const bytes = await rows.image(file, rowIn(inner));
            requireReadable(bytes.length);
            return bytes;
          }
          const { offset, size } = await memberOf(file, inner);
          requireReadable(size);
          const bytes = await file.read(offset, size);
          if (bytes.length < size)
            unreadable(`${file.name} became shorter while it was read. Run again when it is at rest.`);
          return bytes;
        }),
      ),
    close: () => rows.clear(),
  };
}
