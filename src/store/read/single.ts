import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import { decodeFloat16 } from '../format/float16.ts';
import type { FileEntry } from '../format/manifest.ts';
import type { StoreFiles } from './file.ts';
import { decodeShard } from '../format/shard.ts';

/** A file of features in which the bytes of each row are known: any row can be read without the others. */
export interface LocatedRows {
  /** Reads rows by their numbers in the file; `put` gets each with its place in `wanted`. Values are float32. */
  read(wanted: readonly number[], put: (values: Float32Array, i: number) => void): Promise<void>;
}

/** A record batch: its rows from `first` on have their features from `offset` on in the file. */
interface Batch {
  readonly first: number;
  readonly rows: number;
  readonly offset: number;
}

const stampOf = async (handle: FileHandle): Promise<string> => stampText(await handle.stat({ bigint: true }));

/**
 * Verifies a file of features and finds its rows; afterwards single rows are read from it. Where size, times or inode
 * have changed it is verified anew. `readWhole` gives its verified bytes. Throws STORE_CORRUPT and STORE_CHANGED.
 */
export async function locateRows(
  files: StoreFiles,
  entry: FileEntry,
  width: number,
  readWhole: () => Promise<Buffer> = () => files.read(entry),
): Promise<LocatedRows> {
  const path = join(files.path, entry.name);
  let batches: Batch[] = [];
  let half = false;
  let stamp = '';

  async function verify(handle: FileHandle): Promise<void> {
    // Taken before reading: a change meanwhile gives another stamp next time, and bytes that do not fit the digest.
    stamp = await stampOf(handle);
    const bytes = await readWhole();
    batches = [];
    let first = 0;
    for (const { length, features } of decodeShard(bytes, path)) {
      if (features?.width !== width || features.values.buffer !== bytes.buffer)
        throw new PermafrostError('STORE_CORRUPT', `${path} has no features of the width ${width}.`);
      half = features.values instanceof Uint16Array;
      batches.push({ first, rows: length, offset: features.values.byteOffset - bytes.byteOffset });
      first += length;
    }
  }

  async function readRow(handle: FileHandle, number: number): Promise<Float32Array> {
    const batch = batches.findLast(({ first }) => first <= number);
    if (batch === undefined || number >= batch.first + batch.rows)
      throw new PermafrostError('STORE_CORRUPT', `${path} has no row ${number}.`);
    const bytes = new Uint8Array(width * (half ? 2 : 4));
    const position = batch.offset + (number - batch.first) * bytes.length;
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
    if (bytesRead !== bytes.length) throw new PermafrostError('STORE_CORRUPT', `${path} is cut short.`);
    if (!half) return new Float32Array(bytes.buffer);
    const values = new Float32Array(width);
    decodeFloat16(new Uint16Array(bytes.buffer), values, 0);
    return values;
  }

  await files.opened(entry, verify);
  return {
    read: (wanted, put) =>
      files.opened(entry, async (handle) => {
        if ((await stampOf(handle)) !== stamp) await verify(handle);
        for (const [i, number] of wanted.entries()) put(await readRow(handle, number), i);
      }),
  };
}
