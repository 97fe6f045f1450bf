import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../core/digest.ts';
import { reasonOf } from '../../core/errors.ts';
import { factsOfFile, type FileFacts } from '../../core/files/file-facts.ts';
import { removeFile, writeFileAtomic, writeOutput } from './atomic-file.ts';
import { sealJson, unsealExactly } from './sealed-json.ts';
import { removeUnfinished } from './temporary-files.ts';

/**
 * Files that cannot carry a digest themselves (a page, a CSV), or whose end must be known (journals), have a seal
 * beside them: `report.html.seal` holds length and SHA-256 of `report.html`. Files of older versions have none.
 */
const ENDING = '.seal';

const factsSchema = z.strictObject({
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const sealSchema = factsSchema.extend({
  format: z.literal('permafrost-file'),
  version: z.literal(1),
  /** The file's name, without its folder. */
  file: z.string(),
  /** What lay there before: while the file is replaced, either may. */
  before: factsSchema.exactOptional(),
});
/** What a seal says of its file: all of it, or of one that grows the beginning that is known to be on the disk. */
export type FileSeal = z.infer<typeof sealSchema>;

export const sealPath = (file: string): string => `${file}${ENDING}`;

/** The file that a seal's name belongs to; undefined where it is no seal's name. */
export const sealedFile = (name: string): string | undefined =>
  name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : undefined;

/** A seal that is there, that is none, or that is not what was written. */
export type FoundSeal =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged'; readonly problem: string }
  | { readonly kind: 'seal'; readonly seal: FileSeal };

/** Reads the seal of a file. */
export async function readSeal(file: string): Promise<FoundSeal> {
  try {
    const seal = sealSchema.parse(unsealExactly(await readFile(sealPath(file), 'utf8')));
    if (seal.file !== basename(file)) throw new Error(`it is the seal of ${seal.file}`);
    return { kind: 'seal', seal };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
    return { kind: 'damaged', problem: reasonOf(cause) };
  }
}

/** Writes the seal of a file. Throws STORE_WRITE. */
export async function writeFileSeal(file: string, facts: FileFacts, before?: FileFacts): Promise<void> {
  const { bytes, sha256 } = facts;
  const seal: FileSeal = {
    format: 'permafrost-file',
    version: 1,
    file: basename(file),
    bytes,
    sha256,
    ...(before && { before }),
  };
  await writeOutput(sealPath(file), [new TextEncoder().encode(sealJson(seal))]);
}

const isSame = (a: FileFacts, b: FileFacts): boolean => a.bytes === b.bytes && a.sha256 === b.sha256;

/**
 * As writeOutput, with a seal beside the file. A process that is killed leaves the old file or the new one, and a
 * seal that fits it. Throws STORE_WRITE, STORE_LOCKED.
 */
export async function writeSealed(
  file: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<FileFacts> {
  let before: FileFacts | undefined;
  await removeUnfinished(file);
  const facts = await writeFileAtomic(file, chunks, async (next) => {
    // A folder in its place, or nothing: then there is nothing that may lie there.
    before = await factsOfFile(file).catch(() => undefined);
    if (before !== undefined && isSame(before, next)) before = undefined;
    await writeFileSeal(file, next, before);
  });
  if (before !== undefined) await writeFileSeal(file, facts);
  return facts;
}

/** Removes a file and its seal. A seal without its file is left over. Throws STORE_WRITE. */
export async function removeSealed(file: string): Promise<void> {
  await removeFile(file);
  await removeFile(sealPath(file));
}

/** Seals a file as it is, after a repair. Throws STORE_WRITE, and what reading throws. */
export async function sealAsItIs(file: string): Promise<void> {
  await writeFileSeal(file, await factsOfFile(file));
}

/** What is wrong with the bytes of a file by its seal; undefined where they fit, or it has no seal that can be read. */
export async function bytesProblem(file: string, bytes: Uint8Array): Promise<string | undefined> {
  const found = await readSeal(file);
  if (found.kind !== 'seal') return undefined;
  const facts = { bytes: bytes.length, sha256: sha256Hex(bytes) };
  return fits(found.seal, facts) ? undefined : problemOf(found.seal, facts);
}

const fits = (seal: FileSeal, facts: FileFacts): boolean =>
  [seal, seal.before].some((one) => one !== undefined && isSame(one, facts));

const problemOf = (seal: FileSeal, facts: FileFacts): string =>
  facts.bytes === seal.bytes ? 'its bytes are not those that were written' : `${facts.bytes} bytes, not ${seal.bytes}`;

/** What is wrong with a file that its seal speaks of whole; undefined where it fits, or has no seal. */
export async function sealedProblem(file: string): Promise<string | undefined> {
  let problem: string | undefined;
  // Who replaces it meanwhile has changed the seal first: it is read again.
  for (let tries = 0; tries < 2; tries++) {
    const found = await readSeal(file);
    if (found.kind !== 'seal') return undefined; // a damaged seal is named by itself
    const { seal } = found;
    try {
      const facts = await factsOfFile(file);
      if (fits(seal, facts)) return undefined;
      problem = problemOf(seal, facts);
    } catch (cause) {
      problem = reasonOf(cause);
    }
  }
  return problem;
}
