import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { dropLock, holdLock } from '../format/lock/held-locks.ts';
import { LOCK_NAME, readLockFile, type Owner } from '../format/lock/lock-file.ts';
import { ownIdentity, type ProcessIdentity } from '../format/lock/process-identity.ts';
import { fileSystemTime, removeTemporariesOf, removeUnfinished, withTemporary } from '../format/temporary-files.ts';
import { startBeating } from './lock-beat.ts';
import { endLock, removeClaims, withoutLinks } from './lock-claim.ts';
import { judgeLock, LOCK_RULES, type LockRules } from './lock-rules.ts';

/** Other writers that came and went while this one tried: more than so many, and it gives up. */
const TRIES = 100;
const RETRY_MS = 50;

/** A store that this process alone may write to. */
export interface StoreLock {
  /** Removes the lock, if it is this one still. */
  release(): Promise<void>;
}

/** How a lock is asked for. */
export interface LockRequest {
  /** Takes over at once the lock of a process that is not known to live here. Default: false. */
  readonly takeOver?: boolean;
  /** Is told whose lock is taken over. */
  readonly note?: ((text: string) => void) | undefined;
}

/** For tests: other rules, another process. */
export interface LockSettings extends LockRules {
  readonly self?: ProcessIdentity;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/**
 * Makes this process the one writer of a store, whose folder is made where it is not there. The lock of a killed writer
 * is taken over, as is one of another machine or container that gives no sign of life (lock-rules.ts). Throws
 * STORE_LOCKED, naming a living writer, and STORE_WRITE.
 */
export async function lockStore(
  store: string,
  command: string,
  request: LockRequest = {},
  { self = ownIdentity(), ...rules }: LockSettings = LOCK_RULES,
): Promise<StoreLock> {
  const path = join(store, LOCK_NAME);
  const owner: Owner = {
    token: randomUUID(),
    ...self,
    beatMs: rules.beatMs,
    since: new Date().toISOString(),
    command,
  };
  const text = `${JSON.stringify(owner)}\n`;
  try {
    await mkdir(store, { recursive: true });
    for (let tries = 0; tries < TRIES; tries++) {
      const handle = await tryLock(path, text, request, rules);
      if (handle !== undefined) return await lockHeld(store, text, handle, rules.beatMs);
      await sleep(RETRY_MS);
    }
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'STORE_WRITE',
      `The store ${store} cannot be written to: ${reasonOf(cause)}. Give permission or make room, or give another folder with --store.`,
      { cause },
    );
  }
  throw locked(store, 'one process after another. Run the command again.');
}

const locked = (store: string, by: string): PermafrostError =>
  new PermafrostError('STORE_LOCKED', `${store} is being written to by ${by}`);

/** One try: the lock's file, open, or undefined where it has to be tried again. Throws STORE_LOCKED. */
function tryLock(
  path: string,
  text: string,
  { takeOver = false, note }: LockRequest,
  rules: LockRules,
): Promise<FileHandle | undefined> {
  return withTemporary(path, async (candidate) => {
    const handle = await open(candidate, 'wx');
    let mine: FileHandle | undefined;
    try {
      await handle.writeFile(text);
      await handle.sync();
      mine = await place(candidate, handle, path, text);
      if (mine !== undefined) return mine;
      const found = await readLockFile(path);
      if (found.kind === 'none') return undefined; // released since
      if (found.kind === 'foreign')
        throw new PermafrostError(
          'STORE_LOCKED',
          `${path} is ${found.what}, and no lock that permafrost wrote. If no other permafrost writes to this store, remove it and run the command again.`,
        );
      const verdict = judgeLock(path, found, (await handle.stat()).mtimeMs, rules, takeOver);
      if (verdict.kind === 'unnamed') return undefined;
      if (verdict.kind === 'held') throw locked(dirname(path), verdict.reason);
      if (!(await endLock(path, found.text, candidate))) return undefined;
      if (found.owner !== null) await removeTemporariesOf(dirname(path), found.owner);
      if (verdict.remark !== undefined) note?.(verdict.remark);
      return (mine = handle);
    } finally {
      if (mine !== handle) await handle.close();
      await rm(candidate, { force: true });
    }
  });
}

/**
 * Gives the candidate the lock's name, unless that is taken; then undefined. The file gets its name when it is written,
 * so that there is no lock without content; only where a disk has no hard links it is written in its place.
 */
async function place(
  candidate: string,
  handle: FileHandle,
  path: string,
  text: string,
): Promise<FileHandle | undefined> {
  try {
    await link(candidate, path);
    return handle;
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      // The answer to the first of two equal requests may be lost on its way from another machine (NFS).
      return (await handle.stat()).nlink > 1 ? handle : undefined;
    if (!withoutLinks(codeOf(error))) throw error;
  }
  let direct: FileHandle;
  try {
    direct = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  try {
    await direct.writeFile(text);
    await direct.sync();
    return direct;
  } catch (error) {
    await direct.close();
    await rm(path, { force: true });
    throw error;
  }
}

async function lockHeld(store: string, text: string, handle: FileHandle, beatMs: number): Promise<StoreLock> {
  const path = join(store, LOCK_NAME);
  holdLock(store, text);
  const stop = startBeating(handle, Buffer.byteLength(text), beatMs);
  await removeClaims(store, text);
  await removeUnfinished(path);
  return {
    async release() {
      dropLock(store);
      try {
        await stop();
        const found = await readLockFile(path);
        if (found.kind === 'lock' && found.text === text) await endLock(path, text);
      } catch {
        // It must not hide what the work ended with. A lock that stays counts for nothing once its process is gone.
      }
    },
  };
}

/** Whether a process that may live holds the lock of a folder. */
export async function isLocked(store: string, rules: LockRules = LOCK_RULES): Promise<boolean> {
  const path = join(store, LOCK_NAME);
  const found = await readLockFile(path);
  if (found.kind !== 'lock') return found.kind === 'foreign';
  return judgeLock(path, found, await fileSystemTime(store), rules, false).kind !== 'left-behind';
}

/** Whether a file of a store's folder belongs to its lock. */
export const isLockFile = (name: string): boolean => name.startsWith(LOCK_NAME);
