import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generate, isComplete } from '../../../src/workflows/network/generated-folder.ts';

let parent: string;
let root: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'permafrost-generated-'));
  root = join(parent, 'made');
});

afterEach(() => rm(parent, { recursive: true }));

const folder = (digest = 'one', paths = ['a/x', 'b']) => ({ root, digest, paths });

async function make(unfinished: string): Promise<void> {
  await mkdir(join(unfinished, 'a'));
  await writeFile(join(unfinished, 'a/x'), 'x');
  await writeFile(join(unfinished, 'b'), 'b');
}

describe('a generated folder', () => {
  test('is complete once it was made, and not before', async () => {
    expect(await isComplete(folder())).toBe(false);
    await generate(folder(), make);
    expect(await isComplete(folder())).toBe(true);
    expect(await readFile(join(root, 'a/x'), 'utf8')).toBe('x');
  });

  test('is not complete for another digest, without one of its files, or with a torn stamp', async () => {
    await generate(folder(), make);
    expect(await isComplete(folder('two'))).toBe(false);
    await writeFile(join(root, '.generated.json'), '{"digest":"o');
    expect(await isComplete(folder())).toBe(false);
    await generate(folder(), make);
    await rm(join(root, 'b'));
    expect(await isComplete(folder())).toBe(false);
  });

  test('loses the files of its former version when it is made anew', async () => {
    await generate(folder(), make);
    await generate(folder('two', ['c']), (unfinished) => writeFile(join(unfinished, 'c'), 'c'));
    expect((await readdir(root)).sort()).toEqual(['.generated.json', 'c']);
  });

  test('stays as it was when making fails, and nothing is left beside it', async () => {
    await generate(folder(), make);
    const failed = generate(folder('two'), async (unfinished) => {
      await make(unfinished);
      throw new Error('the pen broke');
    });
    await expect(failed).rejects.toThrow('the pen broke');
    expect(await readdir(parent)).toEqual(['made']);
    expect(await isComplete(folder())).toBe(true);
  });

  test('is not made in the place of a folder that holds a file of somebody else', async () => {
    await mkdir(root);
    await writeFile(join(root, 'beach.jpg'), 'precious');
    const refused = generate(folder(), make);
    await expect(refused).rejects.toMatchObject({ code: 'DATASET_LAYOUT' });
    await expect(refused).rejects.toThrow(/holds "beach\.jpg"/);
    expect(await readFile(join(root, 'beach.jpg'), 'utf8')).toBe('precious');
  });

  test('says what to do where it cannot be written', async () => {
    await writeFile(join(parent, 'file'), '');
    const refused = generate({ ...folder(), root: join(parent, 'file', 'made') }, make);
    await expect(refused).rejects.toMatchObject({ code: 'STORE_WRITE' });
    await expect(refused).rejects.toThrow(/ENOTDIR.*name another folder/);
  });
});
