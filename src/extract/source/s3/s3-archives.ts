import type { ByteFile } from '../../archives/byte-file.ts';
import { s3Text, type S3Address } from './address.ts';
import { objectStamp } from './object-stamp.ts';
import type { S3Access } from './s3-access.ts';

/** Bytes that one request brings where headers are read: small images lie in it whole, so an archive is read in stream. */
const WINDOW_BYTES = 2 ** 23;

/**
 * Opens archives in S3. What an object is is asked once; its bytes are then read only while it has that ETag. Throws as
 * S3Access.
 */
export function s3Archives(s3: () => Promise<S3Access>) {
  const known = new Map<string, Promise<Pick<ByteFile, 'stamp'> & { readonly etag: string | undefined }>>();
  async function factsOf(address: S3Address) {
    const facts = await (await s3()).facts(address);
    return { stamp: objectStamp(facts), etag: facts.etag };
  }
  return async function withS3File<T>(address: S3Address, work: (file: ByteFile) => Promise<T>): Promise<T> {
    const name = s3Text(address);
    let facts = known.get(name);
    if (facts === undefined) {
      facts = factsOf(address);
      known.set(name, facts);
      facts.catch(() => known.delete(name)); // its caller hears of it
    }
    const { stamp, etag } = await facts;
    return work({
      name,
      stamp,
      windowBytes: WINDOW_BYTES,
      async read(offset, length) {
        const to = Math.min(offset + length, Number(stamp.size)) - 1;
        if (to < offset) return Buffer.alloc(0);
        return (await s3()).read(address, { range: { from: offset, to }, etag, isLarge: true });
      },
    });
  };
}
