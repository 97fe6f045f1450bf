import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { readSafetensors, safetensorsParts, type SafeTensor } from '../../core/safetensors.ts';
import { writeFileAtomic } from './atomic-file.ts';

/** Size and times of each image, so that an unchanged one is not read again. Losing the file costs only time. */
export const FILE_TIMES_NAME = 'file-times.safetensors';

export const STAMPS = ['size', 'mtimeNs', 'ctimeNs', 'ino'] as const;
export const DIGEST_BYTES = 32;

/** Version 1 knew nothing of decoders: it is read as no file, and each image is read once more. */
const VERSION = 2;

const documentSchema = z.strictObject({
  format: z.literal('permafrost-file-times'),
  version: z.literal(VERSION),
  root: z.string(),
  digest: z.string(),
});

/** Stamps and contents of files, entry by entry. */
export interface FileTimesTable {
  readonly root: string;
  readonly count: number;
  /** SHA-256 of each path and of each content, 32 bytes an entry. */
  readonly paths: Uint8Array;
  readonly contents: Uint8Array;
  readonly stamps: Readonly<Record<(typeof STAMPS)[number], BigInt64Array>>;
  /** The version of the decoder since which each file decodes as it does. */
  readonly decoders: Uint8Array;
}

function digestOf({ root, paths, contents, stamps, decoders }: FileTimesTable): string {
  const hash = createHash('sha256').update(canonicalJson({ root })).update(paths).update(contents).update(decoders);
  for (const key of STAMPS) {
    const { buffer, byteOffset, byteLength } = stamps[key];
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

function tableOf(bytes: Uint8Array, path: string): FileTimesTable | undefined {
  const { metadata, tensors } = readSafetensors(bytes, { name: path, code: 'STORE_CORRUPT' });
  const document: unknown = JSON.parse(metadata['permafrost'] ?? '');
  if ((document as { readonly version?: unknown }).version === 1) return undefined;
  const { root, digest } = documentSchema.parse(document);
  const get = (name: string): SafeTensor['data'] => {
    const data = tensors.get(name)?.data;
    if (data === undefined) throw new Error(`${name} is missing`);
    return data;
  };
  const stamps = Object.fromEntries(STAMPS.map((key) => [key, get(key)])) as FileTimesTable['stamps'];
  const [paths, contents, decoders] = ['paths', 'contents', 'decoders'].map((name) => get(name) as Uint8Array) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const table = { root, count: stamps.size.length, paths, contents, stamps, decoders };
  const isWhole =
    paths.length === table.count * DIGEST_BYTES &&
    contents.length === paths.length &&
    decoders.length === table.count &&
    STAMPS.every((key) => stamps[key] instanceof BigInt64Array && stamps[key].length === table.count);
  if (!isWhole || digest !== digestOf(table)) throw new Error('its digest is not that of its content');
  // Other white space in the header would be a byte that changed unnoticed.
  let at = 0;
  for (const part of encoded(table)) {
    if (Buffer.compare(part, bytes.subarray(at, at + part.length)) !== 0)
      throw new Error('its content is whole, but not as it was written');
    at += part.length;
  }
  if (at !== bytes.length) throw new Error('its content is whole, but not as it was written');
  return table;
}

/** Reads the file of a store; undefined where there is none. Throws STORE_CORRUPT where it is not what was written. */
export async function readFileTimes(store: string): Promise<FileTimesTable | undefined> {
  const path = join(store, FILE_TIMES_NAME);
  try {
    return tableOf(await readFile(path), path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path} is not what was written. "permafrost repair" removes it: the images are then read once more.`,
      { cause },
    );
  }
}

/** What is wrong with the file of a store: undefined where it is whole, or not there. */
export const fileTimesProblem = (store: string): Promise<PermafrostError | undefined> =>
  readFileTimes(store).then(
    () => undefined,
    (error: PermafrostError) => error,
  );

/** The file's bytes in pieces, which are views of the table. */
function encoded(table: FileTimesTable): Uint8Array[] {
  const { root, count, paths, contents, stamps, decoders } = table;
  const tensors = new Map<string, SafeTensor>();
  for (const key of STAMPS) tensors.set(key, { dtype: 'I64', shape: [count], data: stamps[key] });
  tensors.set('paths', { dtype: 'U8', shape: [count, DIGEST_BYTES], data: paths });
  tensors.set('contents', { dtype: 'U8', shape: [count, DIGEST_BYTES], data: contents });
  tensors.set('decoders', { dtype: 'U8', shape: [count], data: decoders });
  const document = { format: 'permafrost-file-times', version: VERSION, root, digest: digestOf(table) };
  return safetensorsParts(tensors, { permafrost: JSON.stringify(document) });
}

/** Replaces the file at once. Throws STORE_WRITE. */
export async function writeFileTimes(store: string, table: FileTimesTable): Promise<void> {
  await writeFileAtomic(join(store, FILE_TIMES_NAME), encoded(table));
}
