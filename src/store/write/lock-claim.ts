import { open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { LOCK_NAME, readLockFile } from '../format/lock/lock-file.ts';
import { fileSystemTime } from '../format/temporary-files.ts';

/** Who may end a lock does so within milliseconds: one whose claim is older, in milliseconds, was killed before. */
const CLAIM_MS = 10_000;

const CLAIM = `${LOCK_NAME}.end-`;
/** Older versions had one claim for all locks. */
const OLD_CLAIM = `${LOCK_NAME}.takeover`;

const claimsOf = (text: string): string => `${CLAIM}${sha256Hex(text).slice(0, 16)}-`;

/** Removes what killed processes left that were about to end locks before the one of this text. */
export async function removeClaims(folder: string, text: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name === OLD_CLAIM || (name.startsWith(CLAIM) && !name.startsWith(claimsOf(text))))
      await rm(join(folder, name), { force: true });
}

/**
 * Ends the lock of this text: only one process at a time may, whether it took the lock, or takes it over. `end` removes
 * or replaces the file. False where the lock is another one now, or another process is about to end it.
 *
 * A claim is a file of a name that belongs to this lock alone, so it can never end the one that follows. A claim of a
 * killed process is not removed, which two might do at once: the next one has the next number.
 */
export async function endLock(path: string, text: string, end: () => Promise<void>): Promise<boolean> {
  const stem = join(dirname(path), claimsOf(text));
  for (let number = 0; ; number++) {
    const claim = `${stem}${number}`;
    if (!(await claimed(claim))) {
      const made = await stat(claim).catch(() => undefined);
      if (made === undefined || (await fileSystemTime(dirname(path))) - made.mtimeMs < CLAIM_MS) return false;
      continue;
    }
    try {
      const found = await readLockFile(path);
      if (found.kind !== 'lock' || found.text !== text) return false;
      await end();
      return true;
    } finally {
      for (let n = number; n >= 0; n--) await rm(`${stem}${n}`, { force: true });
    }
  }
}

async function claimed(claim: string): Promise<boolean> {
  try {
    await (await open(claim, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
