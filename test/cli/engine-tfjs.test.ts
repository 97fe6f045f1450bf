import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findPackage, TFJS_ORDER } from '../../src/extract/engines/tfjs/packages.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { needsTfjs, tfjsMissing } from '../extract/engines/tfjs/tfjs-missing.ts';

const makeFolder = temporaryFolders();

describe('permafrost extract --engine tfjs', () => {
  // A tfjs beside permafrost is found whatever the cache folder.
  const beside = TFJS_ORDER.some((key) => findPackage(key)?.origin === 'found');

  it.skipIf(beside)('says what to install where nothing of it is there, and makes no store', async () => {
    const cwd = makeFolder();
    const root = await stripedDataset(makeFolder(), 1, 1);
    const env = { PERMAFROST_CACHE: makeFolder() };
    const found = await permafrost(['extract', root, '--engine', 'tfjs'], { cwd, env });
    expect(found).toMatchObject({ code: 1, stdout: '' });
    expect(found.stderr).toMatch(/run "npx permafrost engines add tfjs".*\[ENGINE_UNAVAILABLE\]/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  describe.skipIf(tfjsMissing('node-gpu'))(needsTfjs('node-gpu', 'with the package'), () => {
    it('extracts, and tells package, TensorFlow and device', async () => {
      const cwd = makeFolder();
      const root = await stripedDataset(makeFolder(), 2, 1);
      const found = await permafrost(['extract', root, '--engine', 'tfjs', '--json'], { cwd });
      expect(found.code).toBe(0);
      const { extracted, engine } = document<{ extracted: number; engine: Record<string, string> }>(found);
      expect(extracted).toBe(6);
      expect(engine).toMatchObject({ name: 'tfjs', precision: 'fp32' });
      expect(engine.version).toMatch(/@tensorflow\/tfjs-node-gpu, TensorFlow/);
      if (engine.device === 'cpu') expect(found.stderr).toContain('found no GPU that it can use');
    });
  });
});
