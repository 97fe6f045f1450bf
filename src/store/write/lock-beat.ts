import type { FileHandle } from 'node:fs/promises';

/**
 * Writes the last byte of a lock's file anew every `everyMs` milliseconds, so that the file system renews its time, by
 * its own clock. The handle leads to this file even where another took its name. The timer keeps no process alive.
 * Gives what ends it and closes the handle.
 */
export function startBeating(handle: FileHandle, bytes: number, everyMs: number): () => Promise<void> {
  let beat: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (beat !== undefined) return; // a slow disk: one after the other
    beat = (async () => {
      await handle.write('\n', bytes - 1);
      await handle.sync(); // on the disk of another machine the time counts that it has there
    })()
      // A disk that is full or away for a while: the next sign may succeed, and what is published checks the lock.
      .catch(() => undefined)
      .finally(() => (beat = undefined));
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await beat;
    await handle.close();
  };
}
