import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commitDataset, openForWriting } from '../../../src/store/write/store.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { featuresOf } from '../../support/stored-rows.ts';
import { filesOf, named, opened, sealed, whole } from '../../support/stores.ts';

const folder = temporaryFolders();
const newStore = (): string => join(folder(), 'store');

/** A mount point with a file system of 1 MiB, or why there is none. */
function smallDisk(): { readonly path: string } | { readonly why: string } {
  const path = folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' });
    return { path };
  } catch (error) {
    return { why: (error as Error).message.split('\n')[0]! };
  }
}

const disk = process.platform === 'linux' ? smallDisk() : { why: 'tmpfs is of Linux' };
const full = 'path' in disk;
afterAll(() => {
  if ('path' in disk) execFileSync('umount', [disk.path]);
});

describe.skipIf(!full)(full ? 'a full disk' : `a full disk [skipped: no small file system: ${disk.why}]`, () => {
  it('ends with STORE_WRITE; what is sealed is whole, no half file stays, and the same writer goes on when there is room', async () => {
    const mount = (disk as { path: string }).path;
    const store = join(mount, 'store');
    const { writer } = await opened(store, 2);
    await writer.append(featuresOf(named(5)));
    const before = filesOf(store);
    // Some kilobytes are left: the shard's first files fit, not all of them.
    const ballast = join(mount, 'ballast');
    fillUp(ballast, 6 * 1024);
    const { message } = await rejection(writer.append(featuresOf(named(1, 5))), 'STORE_WRITE');
    expect(message).toMatch(/could not be written: ENOSPC.*What was sealed before is safe; make room/);
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg'],
      ['2.jpg', '3.jpg'],
    ]);
    const after = filesOf(store);
    expect(after).toMatchObject(before);
    expect(Object.keys(after).filter((name) => name.endsWith('.tmp'))).toEqual([]);

    await rejection(writer.append(featuresOf(named(1, 6))), 'STORE_WRITE'); // still full, nothing lost or doubled
    rmSync(ballast);
    await writer.append(featuresOf(named(1, 6)));
    await writer.seal();
    expect(await sealed(store)).toEqual([['0.jpg', '1.jpg'], ['2.jpg', '3.jpg'], ['4.jpg', '5.jpg'], ['6.jpg']]);
  });
});

describe.skipIf(!full)(full ? 'a read-only disk' : 'a read-only disk [skipped as above]', () => {
  it('gives STORE_WRITE wherever something is to be written, and stays readable', async () => {
    const mount = (disk as { path: string }).path;
    const store = join(mount, 'read-only');
    const { manifest, set, writer } = await opened(store, 2);
    await writer.append(featuresOf(named(3)));
    const before = filesOf(store);
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    try {
      const { message } = await rejection(writer.seal(), 'STORE_WRITE');
      expect(message).toMatch(/could not be written: EROFS/);
      const samples = named(3);
      const work = commitDataset({ path: store, manifest }, { root: '/', sets: whole(set), samples, failures: [] });
      await rejection(work, 'STORE_WRITE');
      await rejection(openForWriting(join(mount, 'new'), '0.0.0'), 'STORE_WRITE');
      expect(await sealed(store)).toEqual([['0.jpg', '1.jpg']]);
      expect(filesOf(store)).toEqual(before);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', mount]);
    }
  });
});

/** Fills the disk under `path` but for `rest` bytes. */
function fillUp(path: string, rest: number): void {
  const free = Number(
    execFileSync('df', ['--output=avail', '-B1', join(path, '..')], { encoding: 'utf8' }).split('\n')[1],
  );
  writeFileSync(path, Buffer.alloc(free - rest));
}

describe('a folder that cannot be written to', () => {
  it('ends with STORE_WRITE and leaves the manifest on disk and in memory as it was', async () => {
    const { store, manifest, set, writer } = await opened(newStore(), 2);
    await writer.append(featuresOf(named(2)));
    const before = filesOf(store);
    const inMemory = structuredClone(manifest);
    // A folder in the place of the file to be written refuses root too.
    const obstacle = join(store, `block5_pool-${set.fingerprint}-00001-avg.arrow`);
    mkdirSync(join(obstacle, 'inside'), { recursive: true });
    const { message } = await rejection(writer.append(featuresOf(named(2, 2))), 'STORE_WRITE');
    expect(message).toContain(`${obstacle} could not be written: `);
    expect(manifest).toEqual(inMemory);
    expect(filesOf(store)).toMatchObject(before);
    rmSync(obstacle, { recursive: true });
    await writer.seal();
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg'],
      ['2.jpg', '3.jpg'],
    ]);
  });

  it('does not double a shard whose manifest could not be replaced', async () => {
    const { store, manifest, writer } = await opened(newStore(), 2);
    await writer.append(featuresOf(named(2)));
    // The manifest alone cannot be written: a folder stands in its place.
    const [file, aside] = [join(store, 'manifest.json'), join(store, 'aside')];
    renameSync(file, aside);
    mkdirSync(join(file, 'inside'), { recursive: true });
    const { message } = await rejection(writer.append(featuresOf(named(2, 2))), 'STORE_WRITE');
    expect(message).toMatch(/manifest\.json could not be written: (EISDIR|ENOTEMPTY|EEXIST|EPERM)/);
    expect(readdirSync(store).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(manifest.sets[0]!.shards).toHaveLength(1);
    rmSync(file, { recursive: true });
    renameSync(aside, file);
    await writer.seal();
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg'],
      ['2.jpg', '3.jpg'],
    ]);
  });
});
