import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedSources } from '../../src/serve/heads.ts';
import { temporaryFolders, writeTree } from '../support/folders.ts';

const folder = temporaryFolders();

describe('the names of served heads', () => {
  it('are given, or those of the file or store', async () => {
    expect(
      await namedSources(['a/Flowers.permafrost', 'b/logistic-avg.safetensors', 'ants=c/d.permafrost', 'e/Mäuse 2/']),
    ).toEqual([
      { name: 'Flowers', source: 'a/Flowers.permafrost' },
      { name: 'logistic-avg', source: 'b/logistic-avg.safetensors' },
      { name: 'ants', source: 'c/d.permafrost' },
      { name: 'M-use-2', source: 'e/Mäuse 2/' },
    ]);
  });

  it('take a path with an equals sign for a path where it is there', async () => {
    const root = writeTree(folder(), { 'a=b.permafrost/x': '' });
    const path = join(root, 'a=b.permafrost');
    expect(await namedSources([path])).toEqual([{ name: 'a-b', source: path }]);
  });

  it('are refused where two are equal', async () => {
    await expect(namedSources(['a/x.permafrost', 'b/x.permafrost'])).rejects.toThrow(
      /a\/x\.permafrost and b\/x\.permafrost are both named "x".*"other=b\/x\.permafrost"/,
    );
  });
});
