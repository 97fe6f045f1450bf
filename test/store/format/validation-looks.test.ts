import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOOKS_NAME, openLooks } from '../../../src/store/format/validation-looks.ts';
import { temporaryFolders } from '../../support/folders.ts';

const temporaryFolder = temporaryFolders();

describe('looks at the validation images', () => {
  it('are counted from command to command, split by split', async () => {
    const store = temporaryFolder();
    expect(await (await openLooks(store)).add('run', 'val', 11)).toEqual({ heads: 11, isComplete: true });
    const again = await openLooks(store);
    expect(await again.add('sweep', 'val', 1)).toEqual({ heads: 12, isComplete: true });
    expect(await again.add('train', 'val', 2)).toEqual({ heads: 14, isComplete: true });
    expect(await again.add('train', 'test', 1)).toEqual({ heads: 1, isComplete: true });
  });

  it.each([
    ['results.json', ''],
    ['head.safetensors', 'heads'],
    ['0123.jsonl', 'sweeps'],
  ])('are not all known of a store that has %s from before', async (name, folder) => {
    const store = temporaryFolder();
    mkdirSync(join(store, folder), { recursive: true });
    writeFileSync(join(store, folder, name), '{}');
    expect(await (await openLooks(store)).add('sweep', 'val', 1)).toEqual({ heads: 1, isComplete: false });
    expect(await (await openLooks(store)).add('sweep', 'val', 1)).toEqual({ heads: 2, isComplete: false });
  });

  it('survive a line that a killed process left half, which counts as one', async () => {
    const store = temporaryFolder();
    await (await openLooks(store)).add('run', 'val', 3);
    appendFileSync(join(store, LOOKS_NAME), '{"command":"swe');
    expect(await (await openLooks(store)).add('train', 'val', 1)).toEqual({ heads: 5, isComplete: true });
    expect(await (await openLooks(store)).add('train', 'val', 1)).toEqual({ heads: 6, isComplete: true });
    expect(readFileSync(join(store, LOOKS_NAME), 'utf8').trim().split('\n')).toHaveLength(5);
  });

  it.skipIf(process.getuid?.() === 0)('are told to be uncounted where the store cannot be written', async () => {
    const store = temporaryFolder();
    chmodSync(store, 0o500);
    const notes: string[] = [];
    const count = await openLooks(store, { note: (text) => notes.push(text) });
    expect(await count.add('train', 'val', 1)).toBe(null);
    expect(notes).toEqual([expect.stringContaining('not counted')]);
  });

  it('are told to be uncounted where the file is no file', async () => {
    const store = temporaryFolder();
    const notes: string[] = [];
    mkdirSync(join(store, LOOKS_NAME));
    const count = await openLooks(store, { note: (text) => notes.push(text) });
    expect(await count.add('train', 'val', 1)).toBe(null);
    expect(notes).toEqual([expect.stringContaining('not counted')]);
  });
});
