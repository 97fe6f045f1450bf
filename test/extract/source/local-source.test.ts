import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stampText } from '../../../src/core/files/file-stamp.ts';
import type { ImageSource } from '../../../src/extract/source/image-source.ts';
import { localSource } from '../../../src/extract/source/local-source.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';
import { tarOfFiles } from '../../support/tar-files.ts';

const folder = temporaryFolders();
const FILES = { 'cats/1.jpg': 'one', 'cats/2.jpg': 'x'.repeat(5000), 'dogs/3.jpg': '' };
const text = async (source: ImageSource, path: string): Promise<string> => (await source.read(path)).toString();

describe('images in tar archives', () => {
  it('are read below a folder, in one archive, and by a pattern', async () => {
    const root = writeTree(folder(), { 's-0.tar': tarOfFiles(FILES), 'in/s-1.tar': tarOfFiles({ 'a.jpg': 'a' }) });
    const below = await localSource(root);
    expect(await text(below, 's-0.tar/cats/1.jpg')).toBe('one');
    expect(await text(below, 's-0.tar/cats/2.jpg')).toBe(FILES['cats/2.jpg']);
    expect(await text(below, 's-0.tar/dogs/3.jpg')).toBe('');
    expect(await text(below, 'in/s-1.tar/a.jpg')).toBe('a');
    expect(await text(await localSource(join(root, 's-0.tar')), 'cats/1.jpg')).toBe('one');
    expect(await text(await localSource(join(root, 's-{0..3}.tar')), 's-0.tar/cats/1.jpg')).toBe('one');
  });

  it('are not looked for in a folder that is called as an archive', async () => {
    const root = writeTree(folder(), { 'old.tar/cats/1.jpg': 'file', 'cats/new.tar': 'no archive, a file' });
    const source = await localSource(root);
    expect(await text(source, 'old.tar/cats/1.jpg')).toBe('file');
    expect(await text(source, 'cats/new.tar')).toBe('no archive, a file');
    expect(await text(await localSource(join(root, 'old.tar')), 'cats/1.jpg')).toBe('file');
  });

  it('have a stamp that changes with the archive, and is another for each member', async () => {
    const file = join(writeTree(folder(), { 's.tar': tarOfFiles(FILES) }), 's.tar');
    const source = await localSource(file);
    const stamps = async (): Promise<string[]> =>
      Promise.all(Object.keys(FILES).map(async (path) => stampText(await source.stamp(path))));
    const before = await stamps();
    expect(new Set(before).size).toBe(3);
    expect(await stamps()).toEqual(before);
    utimesSync(file, 1, 1);
    for (const [i, stamp] of (await stamps()).entries()) expect(stamp).not.toBe(before[i]);
  });

  it('are those of the archive as it is now', async () => {
    const file = join(writeTree(folder(), { 's.tar': tarOfFiles(FILES) }), 's.tar');
    const source = await localSource(file);
    expect(await text(source, 'cats/1.jpg')).toBe('one');
    writeFileSync(file, tarOfFiles({ 'new.jpg': 'n'.repeat(700), 'cats/1.jpg': 'another' }));
    expect(await text(source, 'cats/1.jpg')).toBe('another');
    const gone = await rejection(source.read('cats/2.jpg'), 'IMAGE_UNREADABLE');
    expect(gone.message).toContain('has no cats/2.jpg any more');
    writeFileSync(file, tarOfFiles(FILES).subarray(0, 700));
    const cut = await rejection(source.read('cats/1.jpg'), 'IMAGE_UNREADABLE');
    expect(cut.message).toContain('is damaged or cut off at byte');
  });

  it('are read many at once', async () => {
    const files = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${i}.jpg`, `content ${i}`]));
    const source = await localSource(join(writeTree(folder(), { 's.tar': tarOfFiles(files) }), 's.tar'));
    const read = await Promise.all(Object.keys(files).map((path) => text(source, path)));
    expect(read).toEqual(Object.values(files));
  });

  it('are not shown through a link that leads out of the folder, where links are to stay inside', async () => {
    const outside = writeTree(folder(), { 's.tar': tarOfFiles(FILES) });
    const root = folder();
    mkdirSync(join(root, 'in'));
    symlinkSync(join(outside, 's.tar'), join(root, 'in/s.tar'));
    expect(await text(await localSource(root), 'in/s.tar/cats/1.jpg')).toBe('one');
    const inside = await localSource(root, { links: 'inside' });
    await rejection(inside.read('in/s.tar/cats/1.jpg'), 'IMAGE_UNREADABLE');
  });
});
