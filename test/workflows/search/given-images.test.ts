import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as SourceModule from '../../../src/extract/source/open.ts';
import { built } from '../../support/built.ts';
import { parquetOf } from '../../support/parquet-files.ts';
import { tarOfFiles } from '../../support/tar-files.ts';
import type * as GivenImagesModule from '../../../src/workflows/search/given-images.ts';

const { imageSource } = await built<typeof SourceModule>('extract/source/open.js');
const { givenImages } = await built<typeof GivenImagesModule>('workflows/search/given-images.js');

const root = mkdtempSync(join(tmpdir(), 'permafrost-given-'));
const at = (...names: string[]): string => join(root, ...names);
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(() => {
  for (const folder of ['card/b/deep', 'card/.hidden', 'notes']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['card/z.jpg', 'card/b/1.PNG', 'card/b/deep/2.webp', 'card/.hidden/3.jpg', 'card/list.xml'])
    writeFileSync(at(file), '');
  writeFileSync(at('notes/readme.md'), '');
  symlinkSync('..', at('card/b/up'));
});

describe('the images that were meant', () => {
  it('are all in a folder, at any depth, each once; hidden ones and other files are left out, and that is said', async () => {
    const notes: string[] = [];
    const found = await givenImages([at('card')], { listener: { note: (text) => notes.push(text) } });
    expect(found).toEqual([at('card/z.jpg'), at('card/b/1.PNG'), at('card/b/deep/2.webp')]);
    expect(notes).toEqual([`${at('card')}: 3 images; left out: 1 other file, 1 hidden or the system's own.`]);
  });

  it('are files as they were given, also such as do not exist or are named otherwise', async () => {
    const given = [at('notes/readme.md'), at('nowhere.jpg'), at('card/z.jpg')];
    expect(await givenImages(given)).toEqual(given);
  });

  it('are all in an archive, or in those of a pattern', async () => {
    const files = { 'a/1.jpg': 'x', '2.png': 'y', 'list.txt': 'z', '__MACOSX/a/1.jpg': 'm' };
    writeFileSync(at('card/s-0.tar'), tarOfFiles(files));
    writeFileSync(at('card/s-1.tar'), tarOfFiles({ '3.jpg': 'x' }));
    writeFileSync(at('card/x.parquet'), parquetOf([{ bytes: 'x', path: '4.jpg' }, { bytes: 'y' }]));
    const notes: string[] = [];
    const found = await givenImages([at('card/s-0.tar')], { listener: { note: (text) => notes.push(text) } });
    expect(found).toEqual([at('card/s-0.tar/2.png'), at('card/s-0.tar/a/1.jpg')]);
    expect(notes).toEqual([`${at('card/s-0.tar')}: 2 images; left out: 2 other files.`]);
    expect(await givenImages([at('card/s-{0..1}.tar')])).toEqual([...found, at('card/s-1.tar/3.jpg')]);
    expect(await givenImages([at('card/x.parquet')])).toEqual([
      at('card/x.parquet/000000/4.jpg'),
      at('card/x.parquet/000001'),
    ]);
    const source = await imageSource('');
    expect((await source.read(at('card/s-0.tar/2.png'))).toString()).toBe('y');
    expect((await source.read(at('card/x.parquet/000001'))).toString()).toBe('y');
    await source.close();
    writeFileSync(at('none.tar'), tarOfFiles({ 'a.txt': 'x' }));
    await expect(givenImages([at('none.tar')])).rejects.toThrow('none.tar holds no image (1 other file)');
  });

  it('are not in a folder without an image, which says what is there', async () => {
    const refused = givenImages([at('notes')]);
    await expect(refused).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await expect(refused).rejects.toThrow(/notes holds no image \(1 other file\)/);
  });

  it.each(['https://example.com/a.jpg', 'HTTP://x/a.png', 'file:///a.jpg', 'gs://bucket/a.jpg'])(
    'are no addresses: %s',
    async (address) => {
      const refused = givenImages([at('card/z.jpg'), address]);
      await expect(refused).rejects.toMatchObject({ code: 'OPTION_INVALID' });
      await expect(refused).rejects.toThrow(`${address} is an address`);
    },
  );

  it('are what a pattern matches, where no file has that name', async () => {
    for (const file of [
      'many/a1.jpg',
      'many/a2.PNG',
      'many/deep/a3.jpg',
      'many/a.xml',
      'many/.a4.jpg',
      'many/x[1].jpg',
    ]) {
      mkdirSync(join(at(file), '..'), { recursive: true });
      writeFileSync(at(file), '');
    }
    const notes: string[] = [];
    const work = { listener: { note: (text: string) => notes.push(text) } };
    expect(await givenImages([at('many/a*')], work)).toEqual([at('many/a1.jpg'), at('many/a2.PNG')]);
    expect(notes).toEqual([`${at('many/a*')}: 2 images; left out: 1 other file.`]);
    expect(await givenImages([at('many/**/*.{jpg,webp}')])).toEqual(
      ['many/a1.jpg', 'many/deep/a3.jpg', 'many/x[1].jpg'].map((name) => at(name)),
    );
    // A file of that very name is meant first; folders where no file matches.
    expect(await givenImages([at('many/x[1].jpg')])).toEqual([at('many/x[1].jpg')]);
    expect(await givenImages([at('many/d*')])).toEqual([at('many/deep/a3.jpg')]);
    await expect(givenImages([at('many/z*')])).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await expect(givenImages([at('many/*.xml')])).rejects.toThrow('none is named as an image is');
  });

  it('are those that a list names, relative to it', async () => {
    const lists: Record<string, string> = {
      'l.txt': 'card/z.jpg\r\n\n/absolute/a.jpg\n',
      'l.csv': 'note,path\n"a, b",card/z.jpg\n,/absolute/a.jpg\n',
      'l.jsonl': '{"path":"card/z.jpg"}\n{"path":"/absolute/a.jpg","label":"x"}\n',
    };
    for (const [name, text] of Object.entries(lists)) {
      writeFileSync(at(name), text);
      expect(await givenImages([at(name)])).toEqual([at('card/z.jpg'), '/absolute/a.jpg']);
    }
    writeFileSync(at('m.csv'), 'file,label\na.jpg,x\n');
    await expect(givenImages([at('m.csv')])).rejects.toThrow('line 2: no path (found the fields file, label)');
    writeFileSync(at('empty.txt'), '\n');
    await expect(givenImages([at('empty.txt')])).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
  });

  it('are names on standard input, each a line or ended by NUL', async () => {
    // A byte at a time: letters of several bytes come in parts.
    const input = (text: string) => Readable.from(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)));
    expect(await givenImages(['-'], { names: input('a.jpg\nü b.jpg\r\n') })).toEqual(['a.jpg', 'ü b.jpg']);
    expect(await givenImages(['-', 'c.jpg'], { names: input('a\nb.jpg\0') })).toEqual(['a\nb.jpg', 'c.jpg']);
    await expect(givenImages(['-'])).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(givenImages(['-'], { names: input('') })).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
  });

  it('may have a colon in their names', async () => {
    expect(await givenImages(['a:b.jpg', 'C:\\a.jpg'])).toEqual(['a:b.jpg', 'C:\\a.jpg']);
  });
});
