import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stageFolder } from '../../../src/extract/engines/staged-folder.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const makeFolder = temporaryFolders();
const fillWith =
  (text: string) =>
  (folder: string): Promise<void> => {
    writeFileSync(join(folder, 'file'), text);
    return Promise.resolve();
  };

describe('a staged folder', () => {
  it('appears whole, in folders that it makes, and takes the place of an older one', async () => {
    const target = join(makeFolder(), 'a', 'b');
    await stageFolder(target, async (folder) => {
      await fillWith('old')(folder);
      expect(existsSync(target)).toBe(false);
    });
    writeFileSync(join(target, 'rest'), '');
    await stageFolder(target, fillWith('new'));
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('new');
    expect(readdirSync(target)).toEqual(['file']);
    expect(readdirSync(dirname(target))).toEqual(['b']);
  });

  it('leaves what was there, and nothing else, where filling fails', async () => {
    const target = join(makeFolder(), 'b');
    await stageFolder(target, fillWith('old'));
    const failing = stageFolder(target, async (folder) => {
      await fillWith('half')(folder);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(dirname(target))).toEqual(['b']);
  });

  it('removes what a process killed long ago left, not what another one may be filling', async () => {
    const root = makeFolder();
    for (const name of ['b.unfinished-old', 'b.unfinished-new', 'other.unfinished-old']) mkdirSync(join(root, name));
    const yesterday = Date.now() / 1000 - 86_400;
    for (const name of ['b.unfinished-old', 'other.unfinished-old']) utimesSync(join(root, name), yesterday, yesterday);
    await stageFolder(join(root, 'b'), fillWith('x'));
    expect(readdirSync(root).sort()).toEqual(['b', 'b.unfinished-new', 'other.unfinished-old']);
  });

  it('says where it could not write', async () => {
    const root = writeTree(makeFolder(), { file: 'not a folder' });
    const error = await rejection(stageFolder(join(root, 'file', 'b'), fillWith('x')), 'ENGINE_UNAVAILABLE');
    expect(error.message).toContain(join(root, 'file', 'b'));
  });
});
