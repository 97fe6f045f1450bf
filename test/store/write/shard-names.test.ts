import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { isStoreFile, shardFileNames } from '../../../src/store/write/shard-files.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { settingsWith, storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

const folder = temporaryFolders();

describe('the files of a shard', () => {
  it.each([
    ['block5_pool', 'block5_pool-'],
    ['/backbone/layernorm/Add_1_output_0', '_backbone_layernorm_Add_1_output_0-'],
    ['..\\up:0', '_._up_0-'],
    [`deep/${'x'.repeat(300)}`, `${'x'.repeat(60)}-`],
    ['Übergang 層', '_bergang_-'],
  ])('of the cut %s lie in the store itself, and are read back', async (cut, begin) => {
    const store = join(folder(), 'store');
    const rows = ['a.jpg', 'b.jpg', 'c.jpg'].map((path) => storedRow(path));
    const { set } = await fillStore(store, rows, { perShard: 2, settings: settingsWith({ cut }) });
    const names = set.shards.flatMap((shard) => shardFileNames(shard));
    expect(names.filter((name) => !name.startsWith(begin) || !isStoreFile(name))).toEqual([]);
    expect(readdirSync(store)).toEqual(expect.arrayContaining(names));
    const opened = await openStore(store);
    expect((await opened.rows({ parts: 'avg', splits: ['train'], memory: 'matrix' })).matrix.rows).toBe(3);
    expect(opened.manifest.sets[0]!.settings.cut).toBe(cut);
  });

  it('in every pooling are known as such', () => {
    for (const kind of ['rows', 'flatten', 'avg', 'max', 'cls']) {
      expect(isStoreFile(`last-0123456789abcdef-00000-${kind}.arrow`)).toBe(true);
    }
    expect(isStoreFile('last-0123456789abcdef-00000-other.arrow')).toBe(false);
  });
});
