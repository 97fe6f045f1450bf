import type { ByteFile } from '../../archives/byte-file.ts';
import { unreadable } from '../image-source.ts';
import { parseS3Address } from './address.ts';
import { objectStamp, type ObjectFacts } from './object-stamp.ts';
import type { S3Access } from './s3-access.ts';

/**
 * What is read at once where little is asked for, as headers are: a request takes as long as a megabyte or more. Small
 * images lie in it whole, so that an archive of them is read in one stream.
 */
const WINDOW_BYTES = 2 ** 22;

/**
 * Opens objects that are read in parts, as archives are: each is asked for its size once, and every part must be of the
 * object as it was then. Throws as S3Access.
 */
export function s3Files(s3: S3Access): <T>(address: string, work: (file: ByteFile) => Promise<T>) => Promise<T> {
  const known = new Map<string, Promise<ObjectFacts>>();
  return async (name, work) => {
    const address = parseS3Address(name);
    const asked = known.get(name) ?? s3.facts(address);
    known.set(name, asked);
    asked.catch(() => known.delete(name));
    const facts = await asked;
    return work({
      name,
      stamp: objectStamp(facts),
      windowBytes: WINDOW_BYTES,
      async read(offset, length) {
        const end = Math.min(offset + length, facts.size);
        if (end <= offset) return Buffer.alloc(0);
        const range = { from: offset, to: end - 1 };
        const bytes = await s3.read(address, { range, etag: facts.etag, isLarge: true });
        if (bytes.length !== end - offset)
          unreadable(
            `${name} was asked for bytes ${offset} to ${end - 1}, and ${bytes.length} came: the storage gives no parts of objects.`,
          );
        return bytes;
      },
    });
  };
}
