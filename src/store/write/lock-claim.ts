import { link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { LOCK_NAME, readLockFile } from '../format/lock/lock-file.ts';
import { fileSystemTime, temporaryPath } from '../format/temporary-files.ts';

/** Who may end a lock does so within milliseconds: one whose claim is older, in milliseconds, was killed, or sleeps. */
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
 * Ends the lock of this text: only one process at a time may, whether it took the lock, or takes it over. With a
 * `successor`, the path of a file, that becomes the lock; else there is none. False where the lock is another one now,
 * or another process is about to end it.
 *
 * A claim is a file of a name that belongs to this lock alone, so it can never end the one that follows. It says which
 * file is to become the lock. A claim that is old is one of a process that was killed, or that stands still and may go
 * on at any moment: that file is removed first, so whatever it had decided it has nothing to put in the lock's place.
 */
export async function endLock(path: string, text: string, successor?: string): Promise<boolean> {
  const number = await nextClaim(path, text);
  if (number === undefined) return false;
  const claim = join(dirname(path), `${claimsOf(text)}${number}`);
  if (!(await claimed(claim, successor))) return false;
  let isEnded = false;
  try {
    const found = await readLockFile(path);
    if (found.kind !== 'lock' || found.text !== text) return false;
    return (isEnded = await (successor === undefined ? takenAway(path, text) : replaced(path, successor)));
  } finally {
    // Claims on a lock that is no more say nothing.
    const names = isEnded ? await claimNames(path, text) : [basename(claim)];
    for (const name of names) await rm(join(dirname(path), name), { force: true });
  }
}

const claimNames = async (path: string, text: string): Promise<string[]> =>
  (await readdir(dirname(path))).filter((name) => name.startsWith(claimsOf(text)));

/** The number of the claim that may be made, those before it being void; undefined where another one counts. */
async function nextClaim(path: string, text: string): Promise<number | undefined> {
  const folder = dirname(path);
  let next = 0;
  for (const name of await claimNames(path, text)) {
    const made = await stat(join(folder, name)).catch(() => undefined);
    if (made === undefined || (await fileSystemTime(folder)) - made.mtimeMs < CLAIM_MS) return undefined;
    const successor = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (successor.startsWith(`${LOCK_NAME}.`)) await rm(join(folder, basename(successor)), { force: true });
    next = Math.max(next, Number(name.slice(claimsOf(text).length)) + 1);
  }
  return next;
}

/** Makes a claim, whole at once; false where it is there. */
async function claimed(claim: string, successor: string | undefined): Promise<boolean> {
  // Not a claim's name, of which it might be taken for one.
  const written = temporaryPath(join(dirname(claim), LOCK_NAME));
  const handle = await open(written, 'wx');
  try {
    await handle.writeFile(successor === undefined ? '' : basename(successor));
    await handle.close();
    await link(written, claim);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!withoutLinks(code)) throw error;
    return await claimedInPlace(claim, successor);
  } finally {
    await rm(written, { force: true });
  }
}

async function claimedInPlace(claim: string, successor: string | undefined): Promise<boolean> {
  try {
    const handle = await open(claim, 'wx');
    await handle.writeFile(successor === undefined ? '' : basename(successor)).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether an error of `link` says that the disk has no hard links. */
export const withoutLinks = (code: string | undefined): boolean =>
  ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '');

/** Puts a file in the lock's place; false where it was removed: this process stood still, and another one went on. */
async function replaced(path: string, successor: string): Promise<boolean> {
  try {
    await rename(successor, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Removes the lock of this text. It is looked at where nobody else finds it: where this process stood still just
 * before, it is the next one's, and goes back. That one waits so long (held-locks.ts).
 */
async function takenAway(path: string, text: string): Promise<boolean> {
  const away = temporaryPath(path);
  try {
    await rename(path, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const isOwn = (await readFile(away, 'utf8')) === text;
  // Where another one has a lock meanwhile, the one that was taken away is lost, and its owner writes nothing more.
  if (!isOwn) await link(away, path).catch(() => undefined);
  await rm(away, { force: true });
  return isOwn;
}
