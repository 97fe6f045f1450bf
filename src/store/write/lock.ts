import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';

export const LOCK_NAME = 'writer.lock';

/** Held while a dead writer's lock is taken over; older than this, in milliseconds, its maker died too. */
const TAKEOVER_NAME = 'writer.lock.takeover';
const TAKEOVER_MS = 10_000;
const RETRY_MS = 50;
const UNNAMED_TRIES = 20;

const ownerSchema = z.strictObject({
  token: z.string(),
  pid: z.number().int().positive(),
  /** When the process began, in the system's own words, where it tells: a pid is given out again, this is not. */
  began: z.string().nullable(),
  host: z.string(),
  since: z.string(),
  command: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** A store that this process alone may write to. */
export interface StoreLock {
  /** Removes the lock. */
  release(): Promise<void>;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The start of a process in clock ticks since boot (proc(5), field 22 of stat); null where it is not known. */
async function processStart(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is the program's name in parentheses, which may hold anything.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** Whether the owner's process is gone for certain. On another machine nobody can tell. */
async function isDead(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
  return owner.began !== null && (await processStart(owner.pid)) !== owner.began;
}

/** The owner that a lock file names; undefined where the file is gone, null where it names none. */
async function readOwner(path: string): Promise<Owner | null | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : null;
  }
}

function locked(store: string, owner: Owner | null): PermafrostError {
  const path = join(store, LOCK_NAME);
  if (owner === null) {
    return new PermafrostError(
      'STORE_LOCKED',
      `${path} is there but names no writer: it is damaged. If no other permafrost writes to this store, delete that file and run the command again.`,
    );
  }
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`;
  const advice =
    where === ''
      ? 'Wait for it to end, or give another folder with --store.'
      : `Wait for it to end. If it is gone, delete ${path}: whether a process of another machine lives cannot be seen from here.`;
  return new PermafrostError(
    'STORE_LOCKED',
    `${store} is being written to by process ${owner.pid}${where} (${owner.command}) since ${owner.since}. ${advice}`,
  );
}

/** Removes the lock of a dead writer, if it is still the same; only one process does so at a time. */
async function removeStale(path: string, store: string, stale: Owner): Promise<void> {
  const takeover = join(store, TAKEOVER_NAME);
  try {
    await (await open(takeover, 'wx')).close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const age = Date.now() - (await stat(takeover).then(({ mtimeMs }) => mtimeMs, Date.now));
    if (age > TAKEOVER_MS) await rm(takeover, { force: true });
    else await sleep(RETRY_MS);
    return;
  }
  try {
    if ((await readOwner(path))?.token === stale.token) await rm(path, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/**
 * Makes this process the one writer of a store, whose folder is made where it is not there. The lock of a killed writer
 * is taken over. Throws STORE_LOCKED, naming a living writer, and STORE_WRITE.
 */
export async function lockStore(store: string, command: string): Promise<StoreLock> {
  const path = join(store, LOCK_NAME);
  const owner: Owner = {
    token: randomUUID(),
    pid: process.pid,
    began: await processStart(process.pid),
    host: hostname(),
    since: new Date().toISOString(),
    command,
  };
  try {
    await mkdir(store, { recursive: true });
    for (let unnamed = 0; !(await created(path, `${JSON.stringify(owner)}\n`));) {
      const other = await readOwner(path);
      if (other === undefined) continue;
      // Between making the file and writing to it, its maker is not named yet.
      if (other === null && unnamed++ < UNNAMED_TRIES) await sleep(RETRY_MS);
      else if (other === null || !(await isDead(other))) throw locked(store, other);
      else await removeStale(path, store, other);
    }
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'STORE_WRITE',
      `The store ${store} cannot be written to: ${reasonOf(cause)}. Give permission or make room, or give another folder with --store.`,
      { cause },
    );
  }
  return {
    async release() {
      if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true });
    },
  };
}

/** Makes a file with that content, unless one is there. Not every file system has hard links, which are simpler. */
async function created(path: string, content: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await handle.writeFile(content);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}

/** Whether a process that may live holds the lock of a folder. */
export async function isLocked(store: string): Promise<boolean> {
  const owner = await readOwner(join(store, LOCK_NAME));
  return owner !== undefined && (owner === null || !(await isDead(owner)));
}

/** Whether a file of a store's folder belongs to its lock. */
export const isLockFile = (name: string): boolean => name.startsWith(LOCK_NAME);
