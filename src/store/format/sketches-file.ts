import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Contract } from '../../core/contract.ts';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { readSafetensors, safetensorsParts } from '../../core/safetensors.ts';
import { SKETCH_BYTES } from '../../core/sketch.ts';
import { writeFileAtomic } from './atomic-file.ts';

/** Sketches of the images, by which copies are found. Losing the file costs only time. */
export const SKETCHES_NAME = 'sketches.safetensors';

const DIGEST_BYTES = 32;

const documentSchema = z.strictObject({
  format: z.literal('permafrost-sketches'),
  version: z.literal(1),
  contract: z.string(),
  digest: z.string(),
});

/** Sketches by the SHA-256 of the images' bytes, all of pixels under one contract. */
export type Sketches = ReadonlyMap<string, Uint8Array>;

function encoded(contract: string, contents: Uint8Array, sketches: Uint8Array): Uint8Array[] {
  const digest = createHash('sha256').update(contract).update(contents).update(sketches).digest('hex');
  const count = contents.length / DIGEST_BYTES;
  const document = { format: 'permafrost-sketches', version: 1, contract, digest };
  return safetensorsParts(
    new Map([
      ['contents', { dtype: 'U8', shape: [count, DIGEST_BYTES], data: contents }],
      ['sketches', { dtype: 'U8', shape: [count, SKETCH_BYTES], data: sketches }],
    ]),
    { permafrost: JSON.stringify(document) },
  );
}

function decoded(bytes: Uint8Array, path: string): { contract: string; sketches: Sketches } {
  const { metadata, tensors } = readSafetensors(bytes, { name: path, code: 'STORE_CORRUPT' });
  const { contract } = documentSchema.parse(JSON.parse(metadata['permafrost'] ?? ''));
  const [contents, values] = ['contents', 'sketches'].map((name) => tensors.get(name)?.data);
  if (!(contents instanceof Uint8Array && values instanceof Uint8Array)) throw new Error('a tensor is missing');
  const count = contents.length / DIGEST_BYTES;
  if (values.length !== count * SKETCH_BYTES) throw new Error('its tensors are of different lengths');
  // Byte by byte what would be written: other white space in the header would be a byte that changed unnoticed.
  if (!Buffer.concat(encoded(contract, contents, values)).equals(bytes))
    throw new Error('its content is not what was written');
  const sketches = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const sha256 = Buffer.from(contents.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)).toString('hex');
    sketches.set(sha256, values.subarray(i * SKETCH_BYTES, (i + 1) * SKETCH_BYTES));
  }
  return { contract, sketches };
}

async function readFileOf(store: string): Promise<{ contract: string; sketches: Sketches } | undefined> {
  const path = join(store, SKETCHES_NAME);
  try {
    return decoded(await readFile(path), path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path} is not what was written. "permafrost repair" removes it: the images are then read once more by "permafrost check".`,
      { cause },
    );
  }
}

const contractDigest = (contract: Contract): string => sha256Hex(canonicalJson(contract));

/** The sketches that a store holds under a contract; none where it has no such file. Throws STORE_CORRUPT. */
export async function readSketches(store: string, contract: Contract): Promise<Sketches> {
  const found = await readFileOf(store);
  return found?.contract === contractDigest(contract) ? found.sketches : new Map();
}

/** What is wrong with the file of a store: undefined where it is whole, or not there. */
export const sketchesProblem = (store: string): Promise<PermafrostError | undefined> =>
  readFileOf(store).then(
    () => undefined,
    (error: PermafrostError) => error,
  );

/** Replaces the file at once, in the order of the contents. Throws STORE_WRITE. */
export async function writeSketches(store: string, contract: Contract, sketches: Sketches): Promise<void> {
  const entries = [...sketches].sort(([a], [b]) => (a < b ? -1 : 1));
  const contents = Buffer.from(entries.map(([sha256]) => sha256).join(''), 'hex');
  const values = new Uint8Array(entries.length * SKETCH_BYTES);
  for (const [i, [, sketch]] of entries.entries()) values.set(sketch, i * SKETCH_BYTES);
  await writeFileAtomic(join(store, SKETCHES_NAME), encoded(contractDigest(contract), contents, values));
}
