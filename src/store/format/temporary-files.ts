import { randomBytes } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isFree, ownIdentity, spaceTag, type ProcessSpace } from './lock/process-identity.ts';

/**
 * A temporary file of another host or container is left over when nobody wrote to it for so long, by the clock of the
 * file system. One file is written in seconds, an index of gigabytes in minutes, and each write renews its time.
 */
const ABANDONED_MS = 600_000;

/** As older versions wrote them, by process number alone. */
const OLD_NAME = /\.\d+\.tmp$/;
const NAME = /\.[A-Za-z0-9-]{1,20}-([0-9a-f]{8})\.(\d+)\.[0-9a-f]{8}\.tmp$/;

/** Temporary files that this process is writing. */
const underWay = new Set<string>();

/** Whether a name is that of a file that is not whole yet, as a killed process leaves it. */
export const isTemporary = (name: string): boolean => NAME.test(name) || OLD_NAME.test(name);

/** What the names of a file's temporary files begin with. */
const stemOf = (path: string): string => basename(path).slice(0, 64);

/**
 * Where a file is written until it is whole: beside it, under a name that no other process takes, on no host. It tells
 * the host, the space of process numbers there, and the process. Cut where the name would be too long for a disk.
 */
export function temporaryPath(path: string): string {
  const own = ownIdentity();
  const host = own.host.replaceAll(/[^A-Za-z0-9-]+/g, '-').slice(0, 20) || '-';
  const name = `${stemOf(path)}.${host}-${spaceTag(own)}.${own.pid}.${randomBytes(4).toString('hex')}.tmp`;
  return join(dirname(path), name);
}

/** As temporaryPath, for as long as `write` runs: meanwhile this process does not take them for left over. */
export async function withTemporaries<T>(
  paths: readonly string[],
  write: (temporary: readonly string[]) => Promise<T>,
): Promise<T> {
  const temporary = paths.map((path) => temporaryPath(resolve(path)));
  for (const path of temporary) underWay.add(path);
  try {
    return await write(temporary);
  } finally {
    for (const path of temporary) underWay.delete(path);
  }
}

/** As withTemporaries, for one file. */
export const withTemporary = <T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> =>
  withTemporaries([path], ([temporary]) => write(temporary!));

/** As temporaryPath, for what this process uses until it calls `end`. */
export function heldTemporary(path: string): { readonly path: string; readonly end: () => void } {
  const temporary = temporaryPath(resolve(path));
  underWay.add(temporary);
  return { path: temporary, end: () => void underWay.delete(temporary) };
}

/** Now, in milliseconds, by the clock that gives a folder's files their times: hosts' clocks may differ from it. */
export async function fileSystemTime(folder: string): Promise<number> {
  const path = temporaryPath(join(folder, 'clock'));
  try {
    const handle = await open(path, 'wx');
    try {
      return (await handle.stat()).mtimeMs;
    } finally {
      await handle.close();
      await rm(path, { force: true });
    }
  } catch {
    return Date.now(); // a folder that cannot be written to is looked at only
  }
}

/** The temporary files among the names in a folder that no living process writes to. */
export async function abandonedIn(folder: string, names: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  let now: number | undefined;
  for (const name of names.filter(isTemporary)) {
    const [, tag, pid] = NAME.exec(name) ?? [];
    const isHere = tag === spaceTag(ownIdentity());
    if (isHere && Number(pid) === process.pid) {
      if (!underWay.has(resolve(folder, name))) left.push(name); // of a process that had the number before
    } else if (isHere && isFree(Number(pid))) {
      left.push(name);
    } else {
      // Of another host or container, of an older version, or of a process that may have been given the number later.
      const touched = await stat(join(folder, name)).catch(() => undefined);
      now ??= await fileSystemTime(folder);
      if (touched !== undefined && touched.mtimeMs < now - ABANDONED_MS) left.push(name);
    }
  }
  return left;
}

/** Removes what killed processes left of writing a file: for those that are written outside of extractions. */
export async function removeUnfinished(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  const names = await readdir(folder).catch((): string[] => []);
  const own = names.filter((name) => name.startsWith(`${stemOf(file)}.`));
  // What cannot be removed is no reason not to write: "permafrost gc" names it.
  for (const name of await abandonedIn(folder, own))
    await rm(join(folder, name), { force: true }).catch(() => undefined);
}

/**
 * Removes the temporary files of a process whose lock of a folder was taken over. If it only stands still, it may be
 * about to give one its name: then it finds that it is gone.
 */
export async function removeTemporariesOf(
  folder: string,
  { host, boot = null, namespace = null, pid }: Partial<ProcessSpace> & { readonly host: string; readonly pid: number },
): Promise<void> {
  const tag = spaceTag({ host, boot, namespace });
  if (tag === spaceTag(ownIdentity()) && pid === process.pid) return; // it is gone, and its number is this one's
  for (const name of await readdir(folder)) {
    const [, ofSpace, number] = NAME.exec(name) ?? [];
    if (ofSpace === tag && Number(number) === pid) await rm(join(folder, name), { force: true });
  }
}
