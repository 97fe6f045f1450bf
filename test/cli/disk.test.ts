import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { readManifest } from '../../src/store/format/manifest-file.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/**
 * A row of block1_pool is 1.6 MB of float16 and fills a shard of 1 MiB by itself; one image an inference, so that each
 * is computed alike.
 */
const FLAGS = ['--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1', '--json', '--quiet'];

let dataset: string;
let whole: Record<string, string>;
/**
 * What a store must be at the end, but for the times of this machine's files, and the sketches, which `check` makes of
 * images that an interrupted extraction has not sketched.
 */
function contentOf(store: string): Record<string, string> {
  const files = filesOf(store);
  delete files['file-times.safetensors'];
  delete files['sketches.safetensors'];
  return files;
}
beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 2, 1);
  const store = join(folder(), 'store');
  await permafrost(['extract', dataset, '--store', store, ...FLAGS]);
  whole = contentOf(store);
});

/** The same command in the end: it takes what is sealed and brings the store to what it would have been. */
async function goesOn(store: string, least: number): Promise<void> {
  const kept = await shardsOf(store);
  expect(kept).toBeGreaterThanOrEqual(least);
  expect(kept).toBeLessThan(6);
  const { stdout } = await permafrost(['extract', dataset, '--store', store, ...FLAGS]);
  expect(JSON.parse(stdout)).toMatchObject({ extracted: 6 - kept, reused: kept, failed: [] });
  expect(contentOf(store)).toEqual(whole);
}

/** Shards that the manifest names: each has one row. */
async function shardsOf(store: string): Promise<number> {
  const { sets } = await readManifest(store);
  return sets.reduce((sum, { shards }) => sum + shards.length, 0);
}

const disk = ((): { readonly path: string } | { readonly why: string } => {
  if (process.platform !== 'linux') return { why: 'tmpfs is of Linux' };
  const path = folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', path], { stdio: 'pipe' });
    return { path };
  } catch (error) {
    return { why: (error as Error).message.split('\n')[0]! };
  }
})();
afterAll(() => {
  if ('path' in disk) execFileSync('umount', [disk.path]);
});

describe.skipIf(!('path' in disk))(
  'path' in disk ? 'a disk that fills up' : `a disk that fills up [skipped: ${disk.why}]`,
  () => {
    it('ends the command with 1 and STORE_WRITE; with more room the same command goes on from what was sealed', async () => {
      const mount = (disk as { path: string }).path;
      const store = join(mount, 'store');
      const { code, stderr } = await permafrost(['extract', dataset, '--store', store, ...FLAGS]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/ENOSPC.*What was sealed before is safe; make room.*\[STORE_WRITE\]/s);
      execFileSync('mount', ['-o', 'remount,size=40m', mount]);
      await goesOn(store, 2);
    });
  },
);

describe.skipIf(process.platform === 'win32')('a limit on the size of files', () => {
  it('ends the command with STORE_WRITE, and without it the same command goes on', async () => {
    const store = join(folder(), 'store');
    // Blocks of 512 bytes: 1 MB. The first map is larger.
    const words = [process.execPath, MAIN, 'extract', dataset, '--store', store, ...FLAGS].map((word) => `'${word}'`);
    const { status, stderr } = spawnSync('sh', ['-c', `ulimit -f 2000; exec ${words.join(' ')}`], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/EFBIG.*\[STORE_WRITE\]/s);
    await goesOn(store, 0);
  });
});

describe('a store that is lost in the middle', () => {
  it('ends with STORE_WRITE, and goes on where it was when it is back', async () => {
    const root = folder();
    const [store, aside] = [join(root, 'store'), join(root, 'aside')];
    const finished = await permafrost(['extract', dataset, '--store', store, ...FLAGS], {
      during: (child) => {
        void (async () => {
          while (child.exitCode === null && (await shardsOf(store).catch(() => 0)) < 2) await sleep(2);
          renameSync(store, aside);
          writeFileSync(store, 'no folder any more');
        })();
      },
    });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/(ENOTDIR|ENOENT).*\[STORE_WRITE\]/s);
    rmSync(store);
    renameSync(aside, store);
    await goesOn(store, 2);
  });

  it('is not lost where the list of failures and the times of files cannot be written', async () => {
    const store = join(folder(), 'store');
    await permafrost(['extract', dataset, '--store', store, ...FLAGS]);
    // Folders in their places refuse root too.
    rmSync(join(store, 'file-times.safetensors'));
    mkdirSync(join(store, 'file-times.safetensors', 'inside'), { recursive: true });
    const finished = await permafrost([
      'extract',
      dataset,
      '--store',
      store,
      ...FLAGS.filter((flag) => flag !== '--quiet'),
    ]);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(/file-times\.safetensors is not what was written/);
    expect(finished.stderr).toMatch(/Next time every image is read again/);
    expect(document<ExtractResult>(finished)).toMatchObject({ extracted: 0, reused: 6, unread: 0 });
  });
});
