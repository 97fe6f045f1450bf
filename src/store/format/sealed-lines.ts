import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readSeal, writeFileSeal } from './seal-beside.ts';

/** A file of lines that only grows, as it is read. */
export interface GrownLines {
  /** Its whole lines, without their line feeds. */
  readonly lines: readonly string[];
  /** Bytes of the whole lines. */
  readonly bytes: number;
  /** What follows the last line feed: a line that a killed process did not finish, and that nobody was told is kept. */
  readonly tail: Buffer;
  /** Why it is not what was written, by its seal; undefined where it is, and in files of older versions. */
  readonly problem: string | undefined;
  /** Bytes that its seal speaks of; undefined without one. */
  readonly sealed: number | undefined;
}

/** Reads a file of lines; one that is not there has none. Throws what reading throws. */
export async function readLines(file: string): Promise<GrownLines> {
  // The seal first: meanwhile the file can only become longer.
  const found = await readSeal(file);
  const all = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const content = all ?? Buffer.alloc(0);
  const bytes = content.lastIndexOf(10) + 1;
  const lines = content.subarray(0, bytes).toString('utf8').split('\n').slice(0, -1);
  const tail = content.subarray(bytes);
  let problem: string | undefined;
  if (found.kind === 'damaged') problem = `its seal, ${file}.seal, is not what was written: ${found.problem}`;
  else if (found.kind === 'seal' && all === undefined)
    problem = `it is gone, and ${found.seal.bytes} bytes were written`;
  else if (found.kind === 'seal') problem = endProblem(content, found.seal);
  return { lines, bytes, tail, problem, sealed: found.kind === 'seal' ? found.seal.bytes : undefined };
}

function endProblem(content: Buffer, { bytes, sha256 }: { bytes: number; sha256: string }): string | undefined {
  if (content.length < bytes) return `it ends after ${content.length} bytes, and ${bytes} were written`;
  return sha256Hex(content.subarray(0, bytes)) === sha256
    ? undefined
    : `its first ${bytes} bytes are not those that were written`;
}

/**
 * Whether the bytes after the last line feed look like a line that was not finished: the beginning of one, or zeros, as
 * a power cut leaves them on some disks.
 */
export function isUnfinished(tail: Buffer, beginning: string): boolean {
  const begun = Buffer.from(beginning);
  const length = Math.min(tail.length, begun.length);
  return tail.every((byte) => byte === 0) || tail.subarray(0, length).equals(begun.subarray(0, length));
}

/**
 * Seals whole lines as they are on the disk now: what follows a line that is under way may change. Throws STORE_WRITE.
 */
export async function sealLines(file: string): Promise<void> {
  const content = await contentOnDisk(file).catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_WRITE',
      `${file} cannot be sealed: ${reasonOf(cause)}. What stands in it is kept; make room or give permission, then run the same command again.`,
      { cause },
    );
  });
  const bytes = content.lastIndexOf(10) + 1;
  await writeFileSeal(file, { bytes, sha256: sha256Hex(content.subarray(0, bytes)) });
}

/** The bytes of a file, synced: else a power cut could leave a seal that speaks of lines which are not on the disk. */
async function contentOnDisk(file: string): Promise<Buffer> {
  const handle = await open(file, 'r+');
  await handle.sync().finally(() => handle.close());
  return readFile(file);
}

/** What a killed process left at a file's end, in words. */
export const unfinishedInWords = ({ tail }: Pick<GrownLines, 'tail'>): string =>
  `${tail.length} bytes after its last whole line, of one that a killed process did not finish: nobody was told that it is kept`;

/**
 * What is wrong with a file of lines that carry their digests. Lines that its seal speaks for are what was sealed; of
 * those after them one may be the half line of a killed process, after which another went on.
 */
export async function linesProblem(file: string, isLine: (line: string) => boolean): Promise<string | undefined> {
  try {
    const { lines, problem, sealed } = await readLines(file);
    if (problem !== undefined) return problem;
    let at = 0;
    for (const [i, line] of lines.entries()) {
      const mayBeHalf = sealed !== undefined && !isJson(line);
      if (at >= (sealed ?? 0) && !mayBeHalf && !isLine(line)) return `line ${i + 1} is not what was written`;
      at += Buffer.byteLength(line) + 1;
    }
    return undefined;
  } catch (cause) {
    return reasonOf(cause);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** SHA-256 of what was appended so far, and of that with more. */
export function growingDigest(begun: Uint8Array): { with(more: Uint8Array): string; add(more: Uint8Array): void } {
  const hash = createHash('sha256').update(begun);
  return {
    with: (more) => hash.copy().update(more).digest('hex'),
    add: (more) => void hash.update(more),
  };
}
