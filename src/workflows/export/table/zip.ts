import { makeZip } from 'client-zip';

/** Times are no part of what a store holds: the same store gives the same bytes. The first that zip files know. */
const NO_TIME = new Date(1980, 0, 1);

/** A file of an archive; its length need not be known. */
export interface ZippedFile {
  readonly name: string;
  readonly data: AsyncIterable<Uint8Array>;
}

/** Files as a zip archive, not compressed; zip64 where they are above 4 GiB. */
export async function* zipBytes(files: readonly ZippedFile[]): AsyncGenerator<Uint8Array> {
  const entries = files.map(({ name, data }) => ({
    name,
    input: data as AsyncIterable<Uint8Array<ArrayBuffer>>,
    lastModified: NO_TIME,
  }));
  yield* makeZip(entries);
}
