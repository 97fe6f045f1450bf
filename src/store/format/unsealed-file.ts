import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readSafetensors, safetensorsParts, type SafeTensor } from '../../core/safetensors.ts';
import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { idOf, type ContentRow } from './shard.ts';

/**
 * Rows of a shard that is not sealed yet, kept so that a kill does not cost them. They stand in one file, whole or not
 * at all; the shard is written anew of all of them when it ends, and the files go.
 */
export interface UnsealedRows {
  readonly fingerprint: string;
  /** The version of the decoder that the images were read with. */
  readonly decoder: number;
  /** The unit of the listing that they lie in; null where there are none. */
  readonly unit: number | null;
  /** How many rows of the shard stand in the files before this one. */
  readonly from: number;
  readonly rows: readonly ContentRow[];
  /** In each pooling of the shard, shape (rows, width): float16 as bits, or float32. */
  readonly values: ReadonlyMap<Pooling, Uint16Array | Float32Array>;
}

const NAME = /-([0-9a-f]{16})-((?:flatten|avg|max|gem|cls)(?:_(?:flatten|avg|max|gem|cls))*)-v\d+-\d{6,}\.unsealed$/;

/** Whether a name is that of a file of unsealed rows. */
export const isUnsealed = (name: string): boolean => NAME.test(name);

/** The fingerprint of the set that a file of unsealed rows is of, by its name. */
export const setOfUnsealed = (name: string): string | undefined => NAME.exec(name)?.[1];

const FORMAT = 'permafrost-unsealed';
const count = z.number().int().nonnegative();
const documentSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  fingerprint: z.string(),
  decoder: count,
  unit: count.nullable(),
  from: count,
  rows: z.array(z.tuple([z.string(), z.string(), count, count, count])),
});

function encoded({ rows, values, ...told }: UnsealedRows): Uint8Array[] {
  const { fingerprint, decoder, unit, from } = told;
  const document: z.infer<typeof documentSchema> = {
    format: FORMAT,
    version: 1,
    fingerprint,
    decoder,
    unit,
    from,
    rows: rows.map(({ path, sha256, width, height, orientation }) => [path, sha256, width, height, orientation]),
  };
  const text = JSON.stringify(document);
  const tensors = new Map<string, SafeTensor>();
  const hash = createHash('sha256').update(text);
  for (const [pooling, data] of values) {
    const shape = [rows.length, data.length / rows.length];
    tensors.set(pooling, data instanceof Uint16Array ? { dtype: 'F16', shape, data } : { dtype: 'F32', shape, data });
    hash.update(pooling).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return safetensorsParts(tensors, { permafrost: text, digest: hash.digest('hex') });
}

function decoded(bytes: Uint8Array, path: string): UnsealedRows {
  const { metadata, tensors } = readSafetensors(bytes, { name: path, code: 'STORE_CORRUPT' });
  const { fingerprint, decoder, unit, from, ...document } = documentSchema.parse(
    JSON.parse(metadata['permafrost'] ?? ''),
  );
  const rows = document.rows.map(([path, sha256, width, height, orientation]) => {
    return { id: idOf(sha256), path, sha256, width, height, orientation };
  });
  const values = new Map<Pooling, Uint16Array | Float32Array>();
  for (const pooling of POOLINGS) {
    const data = tensors.get(pooling)?.data;
    if (data instanceof Uint16Array || data instanceof Float32Array) values.set(pooling, data);
  }
  const found = { fingerprint, decoder, unit, from, rows, values };
  // Byte by byte what would be written, white space and digest included.
  if (!Buffer.concat(encoded(found)).equals(bytes)) throw new Error('its content is not what was written');
  return found;
}

/** The names of the files of unsealed rows in a store, sorted: those of one shard in the order of its rows. */
export const unsealedNames = async (store: string): Promise<string[]> =>
  (await readdir(store)).filter(isUnsealed).sort();

/** Reads a file of unsealed rows. Throws STORE_CORRUPT. */
export async function readUnsealed(store: string, name: string): Promise<UnsealedRows> {
  const path = join(store, name);
  try {
    return decoded(await readFile(path), path);
  } catch (cause) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path}, rows of an extraction that was interrupted, is damaged: ${reasonOf(cause)}. "permafrost repair" removes it; the next "permafrost extract" extracts its images again.`,
      { cause },
    );
  }
}

/** Writes a file of unsealed rows of the cut `stem`, whole or not at all; gives its name. Throws STORE_WRITE. */
export async function writeUnsealed(store: string, stem: string, rows: UnsealedRows): Promise<string> {
  const poolings = [...rows.values.keys()].join('_');
  const name = `${stem}-${poolings}-v${rows.decoder}-${String(rows.from).padStart(6, '0')}.unsealed`;
  await writeFileAtomic(join(store, name), encoded(rows));
  return name;
}
