import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenImages } from '../../../src/workflows/search/given-images.ts';

const root = mkdtempSync(join(tmpdir(), 'permafrost-given-'));
const at = (...names: string[]): string => join(root, ...names);
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(() => {
  for (const folder of ['card/b/deep', 'card/.hidden', 'notes']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['card/z.jpg', 'card/b/1.PNG', 'card/b/deep/2.webp', 'card/.hidden/3.jpg', 'card/list.xml'])
    writeFileSync(at(file), '');
  writeFileSync(at('notes/readme.txt'), '');
  symlinkSync('..', at('card/b/up'));
});

describe('the images that were meant', () => {
  it('are all in a folder, at any depth, each once; hidden ones and other files are left out, and that is said', async () => {
    const notes: string[] = [];
    const found = await givenImages([at('card')], { note: (text) => notes.push(text) });
    expect(found).toEqual([at('card/z.jpg'), at('card/b/1.PNG'), at('card/b/deep/2.webp')]);
    expect(notes).toEqual([`${at('card')}: 3 images; left out: 1 other file, 1 hidden or the system's own.`]);
  });

  it('are files as they were given, also such as do not exist or are named otherwise', async () => {
    const given = [at('notes/readme.txt'), at('nowhere.jpg'), at('card/z.jpg')];
    expect(await givenImages(given)).toEqual(given);
  });

  it('are not in a folder without an image, which says what is there', async () => {
    const refused = givenImages([at('notes')]);
    await expect(refused).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await expect(refused).rejects.toThrow(/notes holds no image \(1 other file\)/);
  });

  it.each(['https://example.com/a.jpg', 'HTTP://x/a.png', 'file:///a.jpg', 's3://bucket/a.jpg'])(
    'are no addresses: %s',
    async (address) => {
      const refused = givenImages([at('card/z.jpg'), address]);
      await expect(refused).rejects.toMatchObject({ code: 'OPTION_INVALID' });
      await expect(refused).rejects.toThrow(`${address} is an address`);
    },
  );

  it('may have a colon in their names', async () => {
    expect(await givenImages(['a:b.jpg', 'C:\\a.jpg'])).toEqual(['a:b.jpg', 'C:\\a.jpg']);
  });
});
