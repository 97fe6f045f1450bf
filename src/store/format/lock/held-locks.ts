import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermafrostError } from '../../../core/errors.ts';
import { LOCK_NAME, ownerInWords, readLockFile } from './lock-file.ts';

/** How often a lock that is gone is looked for again, and after how many milliseconds. */
const [GONE_TRIES, GONE_MS] = [10, 50];

/** The locks that this process took, by their folders: the text of each lock file. */
const held = new Map<string, string>();

/** From now on this process publishes nothing in a folder unless its lock file still has this text. */
export function holdLock(folder: string, text: string): void {
  held.set(resolve(folder), text);
}

export function dropLock(folder: string): void {
  held.delete(resolve(folder));
}

/**
 * For what is published in a folder: throws STORE_LOCKED where this process took its lock and has lost it. It stood
 * still for long, or was cut off from the disk, and another took over, whose files what it wrote would mix with.
 */
export async function requireHeld(folder: string): Promise<void> {
  const text = held.get(resolve(folder));
  if (text === undefined) return;
  const path = join(folder, LOCK_NAME);
  let found = await readLockFile(path);
  // The owner before, which slept, may have taken it away and puts it back at once (lock-claim.ts).
  for (let tries = 0; found.kind === 'none' && tries < GONE_TRIES; tries++) {
    await sleep(GONE_MS);
    found = await readLockFile(path);
  }
  if (found.kind === 'lock' && found.text === text) return;
  const what =
    found.kind === 'none'
      ? `${path} was removed`
      : found.kind === 'foreign'
        ? `${path} is ${found.what} now`
        : `${path} names ${found.owner === null ? 'no writer now' : ownerInWords(found.owner)}`;
  throw new PermafrostError(
    'STORE_LOCKED',
    `This process has lost its lock of ${folder}: ${what}. A lock is taken over when its process gave no sign of life for long, or with --take-over. Nothing more is written here; what was sealed before is kept. Run the same command again when no other one writes there.`,
  );
}
