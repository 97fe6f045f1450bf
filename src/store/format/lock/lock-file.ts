import { lstat, readFile } from 'node:fs/promises';
import * as z from 'zod';
import { ownIdentity, stateOf } from './process-identity.ts';

export const LOCK_NAME = 'writer.lock';

const ownerSchema = z.object({
  token: z.string(),
  /** As systems number them: 32 bits. */
  pid: z.int32().positive(),
  began: z.string().nullable(),
  host: z.string(),
  /** Locks of older versions have neither this nor the two that follow. */
  boot: z.string().nullable().exactOptional(),
  namespace: z.string().nullable().exactOptional(),
  /** Milliseconds from one sign of life to the next: the file is written to, which renews its time. */
  beatMs: z.number().positive().exactOptional(),
  since: z.string(),
  command: z.string(),
});
/** What a lock file says of the writer that holds it. */
export type Owner = z.infer<typeof ownerSchema>;

/** What stands in the place of a lock file. */
export type LockFile =
  | { readonly kind: 'none' }
  /** Something that permafrost does not write there. */
  | { readonly kind: 'foreign'; readonly what: string }
  | {
      readonly kind: 'lock';
      readonly text: string;
      /** Null where the text names none: it is damaged, or not written yet. */
      readonly owner: Owner | null;
      /** The last sign of life, by the clock of the file system. */
      readonly mtimeMs: number;
    };

function ownerIn(text: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null; // the caller says that it is damaged
  }
}

/** Reads a lock file. Rejects as the file system does, but for a file that is not there. */
export async function readLockFile(path: string): Promise<LockFile> {
  try {
    const facts = await lstat(path);
    if (facts.isSymbolicLink()) return { kind: 'foreign', what: 'a symbolic link' };
    if (!facts.isFile()) return { kind: 'foreign', what: facts.isDirectory() ? 'a folder' : 'no ordinary file' };
    const text = await readFile(path, 'utf8');
    return { kind: 'lock', text, owner: ownerIn(text), mtimeMs: facts.mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
    throw error;
  }
}

/** Whether the process that holds a lock lives, as far as it can be told from here. */
export function stateOfOwner(owner: Owner): ReturnType<typeof stateOf> {
  const { boot, namespace } = ownIdentity();
  // Older versions told no more than the host.
  return stateOf({ boot, namespace, ...owner });
}

/** A writer, for messages. */
export const ownerInWords = ({ pid, host, command, since }: Owner): string =>
  `process ${pid}${host === ownIdentity().host ? '' : ` on ${host}`} (${command}) since ${since}`;
