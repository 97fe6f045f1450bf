import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PermafrostError, reasonOf, type ErrorCode } from '../../core/errors.ts';

const UNFINISHED = '.unfinished-';

/** What a killed process left is removed by one that comes an hour later: by then it is not at work any more. */
const STALE_MS = 3_600_000;

async function removeStale(target: string): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(basename(target) + UNFINISHED)) continue;
    const path = join(dirname(target), name);
    if ((await stat(path)).mtimeMs < Date.now() - STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * A folder that is there whole or not at all: `fill` fills a folder next to `target`, which then replaces it. What
 * `fill` throws passes through and leaves `target` as it was. Throws `code` where the disk fails, with `advice`.
 */
export async function stageFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
  code: ErrorCode = 'ENGINE_UNAVAILABLE',
  advice = 'Make room there, or name another folder in PERMAFROST_CACHE.',
): Promise<void> {
  let staging: string | undefined;
  try {
    await mkdir(dirname(target), { recursive: true });
    await removeStale(target);
    staging = await mkdtemp(target + UNFINISHED);
    await fill(staging);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PermafrostError(code, `${target} could not be written: ${reasonOf(cause)}. ${advice}`, { cause });
  } finally {
    if (staging !== undefined) await rm(staging, { recursive: true, force: true });
  }
}
