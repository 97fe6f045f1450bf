import type { ByteFile } from '../../archives/byte-file.ts';
import { unreadable } from '../image-source.ts';
import { parseS3Address } from './address.ts';
import { objectStamp, type ObjectFacts } from './object-stamp.ts';
import { readAhead } from './read-ahead.ts';
import type { S3Access } from './s3-access.ts';

/** What is read at once where little is asked for, as headers are: a request takes as long as a megabyte or more. */
const WINDOW_BYTES = 2 ** 22;

/** An object as it was when it was first asked for. */
interface OpenedObject {
  readonly facts: ObjectFacts;
  readonly read: ByteFile['read'];
}

async function opened(s3: S3Access, name: string): Promise<OpenedObject> {
  const address = parseS3Address(name);
  const facts = await s3.facts(address);
  async function read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, facts.size);
    if (end <= offset) return Buffer.alloc(0);
    const range = { from: offset, to: end - 1 };
    const bytes = await s3.read(address, { range, etag: facts.etag, isLarge: true });
    if (bytes.length !== end - offset)
      unreadable(
        `${name} was asked for bytes ${offset} to ${end - 1}, and ${bytes.length} came: the storage gives no parts of objects.`,
      );
    return bytes;
  }
  return { facts, read: readAhead(read, WINDOW_BYTES) };
}

/**
 * Opens objects that are read in parts, as archives are: each is asked for its size once, and every part must be of the
 * object as it was then. Parts in a row come with one request. Throws as S3Access.
 */
export function s3Files(s3: S3Access): <T>(address: string, work: (file: ByteFile) => Promise<T>) => Promise<T> {
  const known = new Map<string, Promise<OpenedObject>>();
  return async (name, work) => {
    const object = known.get(name) ?? opened(s3, name);
    known.set(name, object);
    object.catch(() => known.delete(name)); // its caller hears of it
    const { facts, read } = await object;
    return work({ name, stamp: objectStamp(facts), windowBytes: WINDOW_BYTES, read });
  };
}
